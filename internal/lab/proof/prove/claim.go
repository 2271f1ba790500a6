package prove

import (
	"database/sql/driver"
	"reflect"
)

// Table is the known content of a declaration, from another source than the package
// under test.
type Table struct {
	Schema, Name string
	Columns      []Column
	Owners       []string // tenant and owner, or only that
	Key          []string // without the owners
	Through      *Table   // or nil
	Parent       []string // point at the key of Through
	Version      string   // or ""
	Shared       bool
	References   []Reference
}

// Column is a column of a Table.
type Column struct {
	Name   string
	Hidden bool // never in an output
}

// Reference is a foreign key: columns that point at the key of a table.
type Reference struct {
	Parent *Table
	From   []string
}

// Verb is the kind of an operation.
type Verb string

// The verbs. Each may also read.
const (
	Read     Verb = "read"
	Insert   Verb = "insert"
	Upsert   Verb = "upsert"
	Update   Verb = "update"
	Delete   Verb = "delete"
	Transfer Verb = "transfer"
)

// Claim is the rules that a statement must be proven to keep.
type Claim struct {
	Tables   []*Table // all that are declared
	Table    *Table   // the one that the operation is on
	Verb     Verb
	Owner    []any  // the values of the scope, as they are sent: the first parameters
	Receiver []any  // of a transfer, the next ones
	Granted  *Grant // of a read, or nil
	At       any    // of an update or delete, the version that the row must be in, or nil
	Reveal   []Revealed
	Assign   []string // the columns that an update may change, besides the version; nil for any
}

// Revealed is a hidden column that a view declares to read: the exception to the
// rule that hidden columns are in no output.
type Revealed struct {
	Table  *Table
	Column string
}

// same reports whether two arguments are one value to the database.
func same(a, b any) bool { return reflect.DeepEqual(plain(a), plain(b)) }

func plain(v any) any {
	if valuer, ok := v.(driver.Valuer); ok {
		if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() {
			return nil
		}
		value, err := valuer.Value()
		if err != nil {
			return v
		}
		return value
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return nil
		}
		return plain(rv.Elem().Interface())
	}
	switch {
	case !rv.IsValid():
		return nil
	case rv.CanInt():
		return rv.Int()
	case rv.CanUint():
		return int64(rv.Uint())
	case rv.Kind() == reflect.String:
		return rv.String()
	case rv.Kind() == reflect.Slice && rv.IsNil():
		return nil
	}
	return v
}

func null(v any) bool { return plain(v) == nil }
