package core

import (
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner/internal/identifier"
)

func (t *Table) addFields(row reflect.Type, index []int, offset uintptr, problem func(string, ...any)) {
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
			c := &Column{
				Table: t, Name: name, Quoted: pgx.Identifier{name}.Sanitize(),
				Field: f.Name, Index: at, offset: offset + f.Offset, Type: f.Type,
			}
			c.inspect()
			if special {
				if err := c.parse(words); err != nil {
					problem("field %s: %s", f.Name, err)
				}
			}
			t.Columns = append(t.Columns, c)
		}
	}
}

func (t *Table) checkColumns(problem func(string, ...any)) {
	fields := map[string]string{}
	pk := false
	var tenant, owner *Column
	once := func(have **Column, c *Column, what string) {
		if *have != nil {
			problem("fields %s and %s: both are the %s", (*have).Field, c.Field, what)
			return
		}
		*have = c
	}
	for _, c := range t.Columns {
		if other, ok := fields[c.Quoted]; ok {
			problem("fields %s and %s: both are column %q", other, c.Field, c.Name)
		}
		fields[c.Quoted] = c.Field
		pk = pk || c.PrimaryKey
		switch {
		case c.Owner:
			once(&owner, c, "owner")
		case c.Tenant:
			once(&tenant, c, "tenant")
		case c.Version:
			once(&t.Version, c, "version")
		case c.PrimaryKey:
			t.Key = append(t.Key, c)
		}
		if c.Parent {
			t.Parent = append(t.Parent, c)
		}
	}
	t.checkOwner(tenant, owner, problem)
	t.checkParent(problem)
	if !pk {
		problem(`no field is the primary key: add a tag owner:"pk"`)
	}
}

func (t *Table) checkOwner(tenant, owner *Column, problem func(string, ...any)) {
	if t.Through != nil || t.Shared {
		for _, c := range []*Column{tenant, owner} {
			if c != nil {
				problem("field %s: rows of this table have no owner of their own", c.Field)
			}
		}
		return
	}
	if owner == nil {
		problem(`no field is the owner: add a tag owner:"owner"`)
	}
	t.Owners = []*Column{owner}
	switch two := len(t.OwnerTypes) == 2; {
	case two && tenant == nil:
		problem(`no field is the tenant: add a tag owner:"tenant"`)
	case two:
		t.Owners = []*Column{tenant, owner}
	case tenant != nil:
		problem("field %s: it is the tenant, but the table is not declared for owners of type Member", tenant.Field)
	}
	for i, c := range t.Owners {
		if c != nil && c.Type != t.OwnerTypes[i] {
			problem("field %s: it is of type %s, but the table is declared for owners of type %s", c.Field, c.Type, t.OwnerTypes[i])
		}
	}
}

func (t *Table) checkParent(problem func(string, ...any)) {
	switch {
	case t.Through == nil:
		for _, c := range t.Parent {
			problem("field %s: it points at the parent, but the table is not declared with MustThrough", c.Field)
		}
	case slices.ContainsFunc(t.Through.Owners, func(c *Column) bool { return c.PrimaryKey }):
		// Two owners may have rows with the same key, and a child of both would
		// belong to both.
		problem("the owner is part of the primary key of the parent %s, whose other columns do not say whose row it is", t.Through.Name)
	case len(t.Parent) == 0 && len(t.Through.Key) > 0:
		problem(`no field points at the parent: add a tag owner:"parent"`)
	case len(t.Parent) != len(t.Through.Key):
		problem("the parent %s has a key of %s, but %s at it", t.Through.Name, counted(len(t.Through.Key), "column", "columns"), counted(len(t.Parent), "field points", "fields point"))
	case len(t.Parent) == 0:
		problem("the parent %s has no key besides its owner, so nothing can point at it", t.Through.Name)
	default:
		for i, c := range t.Parent {
			if to := t.Through.Key[i]; c.Type != to.Type {
				problem("field %s: it is of type %s, but the parent's column %s of type %s", c.Field, c.Type, to, to.Type)
			}
		}
	}
}

// ColumnAt finds the column by the address of its field. Addresses are compared as
// interfaces, because a struct and its first field share an address.
func (t *Table) ColumnAt(row unsafe.Pointer, field any) *Column {
	for _, c := range t.Columns {
		if c.Pointer(row).Interface() == field {
			return c
		}
	}
	return nil
}

// fields appends the addresses of a row's columns, to scan into.
func (t *Table) fields(to []any, row unsafe.Pointer) []any {
	for _, c := range t.Readable {
		to = append(to, c.Pointer(row).Interface())
	}
	return to
}
