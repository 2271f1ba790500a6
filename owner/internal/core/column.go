package core

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// A Column is a field of a row type with its tags.
type Column struct {
	Table  *Table
	Name   string
	Quoted string
	Field  string // for messages
	JSON   string // the member of a JSON object, or "" if none
	Index  []int
	Type   reflect.Type
	offset uintptr

	Tenant, Owner, PrimaryKey, Parent, Server, Hidden, Version, Default bool

	Plain     bool // no value is NULL or has a Value method
	Nullable  bool // can hold NULL
	takesNull bool // has a Scan method that reads NULL as some other value
	refers    bool // part of a foreign key that is checked
}

// String returns the name with that of the table, for messages.
func (c *Column) String() string { return c.Table.Name + "." + c.Name }

// mayBeNull reports whether rows with NULL in the column can be read.
func (c *Column) mayBeNull() bool { return c.Nullable || c.takesNull && !c.Fixed() }

// Fixed reports whether no update may assign the column.
func (c *Column) Fixed() bool { return c.Owner || c.Tenant || c.PrimaryKey || c.Parent || c.Version }

func (c *Column) parse(words string) error {
	for word := range strings.SplitSeq(words, ",") {
		flag := map[string]*bool{
			"owner": &c.Owner, "tenant": &c.Tenant, "pk": &c.PrimaryKey, "parent": &c.Parent, "version": &c.Version,
			"server": &c.Server, "hidden": &c.Hidden, "default": &c.Default,
		}[strings.TrimSpace(word)]
		if flag == nil {
			return fmt.Errorf("unknown word %q in the owner tag; the known ones are owner, tenant, pk, parent, version, server, hidden, default", strings.TrimSpace(word))
		}
		*flag = true
	}
	switch {
	case (c.Owner || c.Tenant) && c.Default:
		return errors.New("the owner is always inserted, so owner and default exclude each other")
	case c.Owner && c.Tenant:
		return errors.New("owner and tenant exclude each other; tag one field for each")
	case c.Parent && (c.Owner || c.Tenant || c.Default):
		return errors.New("what points at the parent is always inserted, and is no owner or default")
	case c.Version && (c.fixedBut() || c.Default):
		return errors.New("the version is nothing else")
	case c.Version && !isInteger(c.Type):
		return fmt.Errorf("the version must be an integer, not a %s", c.Type)
	case c.Hidden && c.Fixed():
		return errors.New("a key, owner or version cannot be hidden")
	}
	return nil
}

func (c *Column) fixedBut() bool { return c.Owner || c.Tenant || c.PrimaryKey || c.Parent }

// Optional reports whether the database fills the column if it is zero. In a key of
// several columns zero is a value like others, unless the column is declared default.
func (c *Column) Optional() bool {
	return (c.Default || c.PrimaryKey && len(c.Table.Key) <= 1) && !c.Parent && !c.refers
}

// Pointer returns the address of the column's field in a row.
func (c *Column) Pointer(row unsafe.Pointer) reflect.Value {
	return reflect.NewAt(c.Type, unsafe.Add(row, c.offset))
}

// Comparable returns an argument to compare the column with, and refuses NULL.
func (c *Column) Comparable(arg any) (any, error) {
	switch null, err := pgvalue.IsNull(arg); {
	case err != nil:
		return nil, Misuse("column %s: %w", c, err)
	case null:
		return nil, Misuse("column %s: the value is NULL, which compares with nothing; use IsNull or IsNotNull", c)
	}
	return arg, nil
}
