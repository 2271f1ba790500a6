package owner

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// A Table declares a table whose rows are of the struct type R and belong to
// owners of type O. Make one with [MustTable] or [NewTable]; it is safe for
// concurrent use.
type Table[R any, O comparable] struct {
	_   [0]func(R, O) // or Go would convert it to that of other types
	def *table
}

// In returns the statements on the rows of the scope's owner. They are all that
// a table can do.
func (t *Table[R, O]) In(scope Scope[O]) Scoped[R, O] {
	var s Scoped[R, O]
	s.q.id = scope.id
	if t != nil {
		s.q.table = t.def
	}
	return s
}

// MustTable is [NewTable] for package variables: it panics instead of
// returning an error.
func MustTable[R any, O comparable](name string) *Table[R, O] {
	t, err := NewTable[R, O](name)
	if err != nil {
		panic(err)
	}
	return t
}

// NewTable declares the table of that name, "table" or "schema.table". Names
// are quoted, so upper and lower case are as given.
//
// The columns are the fields of R with a tag db:"column". Fields tagged db:"-"
// and unexported fields are left alone; the fields of an embedded struct
// without a db tag are taken as if they were R's own. A second tag, owner, says
// in words that commas separate what is special about a column:
//
//	owner    holds the owner; exactly one column, of type O
//	tenant   holds the tenant; where O is a [Member], whose user is the owner
//	pk       part of the primary key; left out of INSERT when zero
//	default  has a default; left out of INSERT when zero
//	version  counts the changes of the row: 1 when inserted, one more with each
//	         update; an integer; see [Update.At]
//	server   set by the service, never from a client's patch; see [Table.Patch]
//	hidden   like server, and not read either: the field stays zero in rows that
//	         are returned; only a [View] that says so reads it
//	parent   in tables made by [NewThrough]
//
// The key that [Select.Get] and others take has one value for each pk column
// that is not the owner or tenant, in the order of the fields. At least one
// column must be a pk.
//
// An error names everything that is wrong with the declaration.
func NewTable[R any, O comparable](name string) (*Table[R, O], error) {
	def, err := declare[R](name, &table{ownerTypes: ownerTypes[O]()})
	if err != nil {
		return nil, err
	}
	return &Table[R, O]{def: def}, nil
}

func declare[R any](name string, t *table) (*table, error) {
	row := reflect.TypeFor[R]()
	t.name, t.row = name, row
	var problems []string
	problem := func(format string, args ...any) {
		problems = append(problems, fmt.Sprintf(format, args...))
	}

	parts := strings.Split(name, ".")
	if len(parts) > 2 || slices.Contains(parts, "") {
		problem(`the name must be "table" or "schema.table"`)
	}
	if slices.ContainsFunc(parts, func(part string) bool { return len(part) > maxIdentifier }) {
		problem("the name is longer than %d bytes, of which PostgreSQL keeps no more", maxIdentifier)
	}
	if strings.ContainsRune(name, 0) {
		problem("the name has a NUL in it, which no database keeps")
	}
	last := parts[len(parts)-1]
	if reserved(last) {
		problem("the name %s is one that statements give to parts of their own", last)
	}
	t.quoted, t.ref = pgx.Identifier(parts).Sanitize(), pgx.Identifier{last}.Sanitize()+"."

	for _, own := range t.ownerTypes {
		if reason := unfitType(own); reason != "" && t.through == nil {
			problem("%s", reason)
		}
	}
	if row.Kind() != reflect.Struct {
		problem("the row type must be a struct")
	} else {
		t.addFields(row, nil, 0, problem)
		t.checkColumns(problem)
	}
	if problems != nil {
		return nil, misuse("table %q of %s:\n\t%s", name, row, strings.Join(problems, "\n\t"))
	}

	for _, c := range t.columns {
		if !c.hidden {
			t.readable = append(t.readable, c)
		}
	}
	t.list = list("", t.readable)
	t.owned = t.ownedBy("", 1)
	t.selectAll = "select " + t.list + " from " + t.quoted + " where " + t.owned
	return t, nil
}

func list(prefix string, columns []*column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = prefix + c.quoted
	}
	return strings.Join(names, ", ")
}

// reserved reports whether statements use the name for parts of their own: an
// underscore, and digits or the letter p, or one other letter.
func reserved(name string) bool {
	rest, ok := strings.CutPrefix(name, "_")
	return ok && rest != "" && (strings.Trim(rest, "0123456789") == "" || strings.Trim(rest, "p") == "" || rest == "n" || rest == "w")
}

// maxIdentifier is PostgreSQL's, in bytes: NAMEDATALEN - 1.
const maxIdentifier = 63

// table is what a declaration says, whatever the types.
type table struct {
	name       string // for messages
	row        reflect.Type
	quoted     string
	ref        string    // qualifies columns where the table has no alias
	columns    []*column // all
	readable   []*column // without the hidden ones
	ownerTypes []reflect.Type
	owners     []*column // tenant and owner, or only that; empty if through or shared
	key        []*column // the primary key without the owner
	version    *column   // or nil
	through    *table    // or nil
	parent     []*column // what points at through's key
	shared     bool
	view       *view // or nil

	list      string // the readable columns, as in a SELECT
	owned     string // the predicate of the owner
	selectAll string // all the owner's rows

	references []*reference
	uniques    []*unique
	used       atomic.Bool // by a statement, so that what checks it must not change any more
}

type column struct {
	table  *table
	name   string
	quoted string
	field  string // for messages
	json   string // the member of a JSON object, or "" for none
	index  []int
	offset uintptr
	typ    reflect.Type

	tenant, owner, pk, parent, server, hidden, version, dfault bool

	plain      bool // no value is NULL or has a Value method
	viaPointer bool // only the pointer has one
	nullable   bool // can hold NULL
}

func (c *column) String() string { return c.table.name + "." + c.name }

// fixed reports whether no update may assign the column.
func (c *column) fixed() bool { return c.owner || c.tenant || c.pk || c.parent || c.version }

// ownedBy is the condition that a row of t is the owner's, whose values are the
// parameters from number first. Where the table is called by an alias, prefix is
// that and a dot.
func (t *table) ownedBy(prefix string, first int) string {
	return t.ownedWithin(prefix, first, 1)
}

func (t *table) ownedWithin(prefix string, first, depth int) string {
	switch {
	case t.shared:
		return "true"
	case t.through != nil:
		if prefix == "" {
			prefix = t.ref
		}
		alias := "_" + strings.Repeat("p", depth)
		text := "exists (select 1 from " + t.through.quoted + " as " + alias + " where "
		for i, c := range t.parent {
			text += alias + "." + t.through.key[i].quoted + " = " + prefix + c.quoted + " and "
		}
		return text + t.through.ownedWithin(alias+".", first, depth+1) + ")"
	}
	text := ""
	for i, c := range t.owners {
		if i > 0 {
			text += " and "
		}
		text += prefix + c.quoted + " = $" + strconv.Itoa(first+i)
	}
	return text
}

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
		case len(name) > maxIdentifier:
			problem("field %s: the column's name is longer than %d bytes, of which PostgreSQL keeps no more", f.Name, maxIdentifier)
		case strings.ContainsRune(name, 0):
			problem("field %s: the column's name has a NUL in it, which no database keeps", f.Name)
		case strings.Contains(name, ","):
			problem("field %s: the db tag %q must be a column's name alone", f.Name, name)
		case f.Type.Size() == 0:
			problem("field %s: type %s cannot hold a value", f.Name, f.Type)
		default:
			c := &column{
				table: t, name: name, quoted: pgx.Identifier{name}.Sanitize(),
				field: f.Name, json: jsonName(f), index: at, offset: offset + f.Offset, typ: f.Type,
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

// jsonName is the name of a field in JSON, as package encoding/json has it.
func jsonName(f reflect.StructField) string {
	tag := f.Tag.Get("json")
	if tag == "-" {
		return ""
	}
	if name, _, _ := strings.Cut(tag, ","); name != "" {
		return name
	}
	return f.Name
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
