package owner

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner/internal/identifier"
)

// column is a field of a row type with its tags.
type column struct {
	table  *table
	name   string
	quoted string
	field  string // for messages
	json   string // the member of a JSON object, or "" if none
	index  []int
	offset uintptr
	typ    reflect.Type

	tenant, owner, pk, parent, server, hidden, version, dfault bool

	refers bool // part of a foreign key that is checked

	plain      bool // no value is NULL or has a Value method
	viaPointer bool // only the pointer has a Value method
	nullable   bool // can hold NULL
	takesNull  bool // has a Scan method that reads NULL as some other value
}

func (c *column) String() string { return c.table.name + "." + c.name }

// mayBeNull reports whether rows with NULL in the column can be read.
func (c *column) mayBeNull() bool { return c.nullable || c.takesNull && !c.fixed() }

// fixed reports whether no update may assign the column.
func (c *column) fixed() bool { return c.owner || c.tenant || c.pk || c.parent || c.version }

func (t *table) addFields(row reflect.Type, index []int, offset uintptr, problem func(string, ...any)) {
	for i := range row.NumField() {
		f := row.Field(i)
		at := append(slices.Clone(index), i)
		name, tagged := f.Tag.Lookup("db")
		words, special := f.Tag.Lookup("owner")
		switch {
		case name == "-":
		case !tagged && f.Anonymous && f.Type.Kind() == reflect.Struct && !special:
			t.addFields(f.Type, at, offset+f.Offset, problem)
		case !tagged && f.Anonymous && f.Type.Kind() == reflect.Pointer:
			problem("field %s: embed the struct itself, not a pointer", f.Name)
		case !tagged && !f.IsExported() && !special:
		case !f.IsExported():
			problem("field %s: it has tags, but is not exported", f.Name)
		case !tagged:
			problem(`field %s: add a tag db:"column", or db:"-" if it is no column`, f.Name)
		case strings.TrimSpace(name) == "":
			problem("field %s: the db tag names no column", f.Name)
		case len(name) > identifier.Max:
			problem("field %s: the column's name is longer than %d bytes, of which PostgreSQL keeps no more", f.Name, identifier.Max)
		case strings.ContainsRune(name, 0):
			problem("field %s: the column's name has a NUL in it, which no database keeps", f.Name)
		case strings.Contains(name, ","):
			problem("field %s: the db tag %q must be a column's name alone", f.Name, name)
		case f.Type.Size() == 0:
			problem("field %s: type %s cannot hold a value", f.Name, f.Type)
		default:
			c := &column{
				table: t, name: name, quoted: pgx.Identifier{name}.Sanitize(),
				field: f.Name, index: at, offset: offset + f.Offset, typ: f.Type,
			}
			c.inspect()
			if special {
				if err := c.parse(words); err != nil {
					problem("field %s: %s", f.Name, err)
				}
			}
			t.columns = append(t.columns, c)
		}
	}
}

func (c *column) parse(words string) error {
	for word := range strings.SplitSeq(words, ",") {
		flag := map[string]*bool{
			"owner": &c.owner, "tenant": &c.tenant, "pk": &c.pk, "parent": &c.parent, "version": &c.version,
			"server": &c.server, "hidden": &c.hidden, "default": &c.dfault,
		}[strings.TrimSpace(word)]
		if flag == nil {
			return fmt.Errorf("unknown word %q in the owner tag; the known ones are owner, tenant, pk, parent, version, server, hidden, default", strings.TrimSpace(word))
		}
		*flag = true
	}
	switch {
	case (c.owner || c.tenant) && c.dfault:
		return errors.New("the owner is always inserted, so owner and default exclude each other")
	case c.owner && c.tenant:
		return errors.New("owner and tenant exclude each other; tag one field for each")
	case c.parent && (c.owner || c.tenant || c.dfault):
		return errors.New("what points at the parent is always inserted, and is no owner or default")
	case c.version && (c.fixedBut() || c.dfault):
		return errors.New("the version is nothing else")
	case c.version && !isInteger(c.typ):
		return fmt.Errorf("the version must be an integer, not a %s", c.typ)
	case c.hidden && c.fixed():
		return errors.New("a key, owner or version cannot be hidden")
	}
	return nil
}

func (c *column) fixedBut() bool { return c.owner || c.tenant || c.pk || c.parent }

func (t *table) checkColumns(problem func(string, ...any)) {
	fields := map[string]string{}
	pk := false
	var tenant, owner *column
	once := func(have **column, c *column, what string) {
		if *have != nil {
			problem("fields %s and %s: both are the %s", (*have).field, c.field, what)
			return
		}
		*have = c
	}
	for _, c := range t.columns {
		if other, ok := fields[c.quoted]; ok {
			problem("fields %s and %s: both are column %q", other, c.field, c.name)
		}
		fields[c.quoted] = c.field
		pk = pk || c.pk
		switch {
		case c.owner:
			once(&owner, c, "owner")
		case c.tenant:
			once(&tenant, c, "tenant")
		case c.version:
			once(&t.version, c, "version")
		case c.pk:
			t.key = append(t.key, c)
		}
		if c.parent {
			t.parent = append(t.parent, c)
		}
	}
	t.checkOwner(tenant, owner, problem)
	t.checkParent(problem)
	if !pk {
		problem(`no field is the primary key: add a tag owner:"pk"`)
	}
}

func (t *table) checkOwner(tenant, owner *column, problem func(string, ...any)) {
	if t.through != nil || t.shared {
		for _, c := range []*column{tenant, owner} {
			if c != nil {
				problem("field %s: rows of this table have no owner of their own", c.field)
			}
		}
		return
	}
	if owner == nil {
		problem(`no field is the owner: add a tag owner:"owner"`)
	}
	t.owners = []*column{owner}
	switch two := len(t.ownerTypes) == 2; {
	case two && tenant == nil:
		problem(`no field is the tenant: add a tag owner:"tenant"`)
	case two:
		t.owners = []*column{tenant, owner}
	case tenant != nil:
		problem("field %s: it is the tenant, but the table is not declared for owners of type Member", tenant.field)
	}
	for i, c := range t.owners {
		if c != nil && c.typ != t.ownerTypes[i] {
			problem("field %s: it is of type %s, but the table is declared for owners of type %s", c.field, c.typ, t.ownerTypes[i])
		}
	}
}

func (t *table) checkParent(problem func(string, ...any)) {
	switch {
	case t.through == nil:
		for _, c := range t.parent {
			problem("field %s: it points at the parent, but the table is not declared with MustThrough", c.field)
		}
	case slices.ContainsFunc(t.through.owners, func(c *column) bool { return c.pk }):
		// Two owners may have rows with the same key, and a child of both would
		// belong to both.
		problem("the owner is part of the primary key of the parent %s, whose other columns do not say whose row it is", t.through.name)
	case len(t.parent) == 0 && len(t.through.key) > 0:
		problem(`no field points at the parent: add a tag owner:"parent"`)
	case len(t.parent) != len(t.through.key):
		problem("the parent %s has a key of %d columns, but %d fields point at it", t.through.name, len(t.through.key), len(t.parent))
	case len(t.parent) == 0:
		problem("the parent %s has no key besides its owner, so nothing can point at it", t.through.name)
	default:
		for i, c := range t.parent {
			if to := t.through.key[i]; c.typ != to.typ {
				problem("field %s: it is of type %s, but the parent's column %s of type %s", c.field, c.typ, to, to.typ)
			}
		}
	}
}
