// Package bridge shows package ownertest what package owner keeps to itself: the
// declarations, and statements made from values whose types are known at run time
// only.
package bridge

import (
	"context"
	"reflect"
)

// Table is what a declaration says.
type Table struct {
	ID         any    // equal for descriptions of the same declaration
	Name       string // as declared
	Quoted     string
	Shared     bool
	Columns    []*Column
	Owners     []*Column // tenant and owner, or that alone
	Key        []*Column // the primary key without the owner
	Parent     []*Column // what points at the key of Through
	Version    *Column   // or nil
	Through    *Table    // or nil
	References []Reference
	Uniques    [][]*Column
}

// Column is a column of a Table, at a place in its Columns.
type Column struct {
	At           int
	Name, Quoted string
	JSON         string
	Index        []int
	Type         reflect.Type

	Readable bool // not hidden
	Writable bool // by clients
	Fixed    bool // never assigned
	Optional bool // the database can fill it
	Numeric  bool
}

// Reference is a foreign key that is declared.
type Reference struct {
	Parent *Table
	From   []*Column
}

// Package owner sets these. A table is an *owner.Table, and what is made is put
// where into points: an *owner.Condition and so on, for the same rows.
var (
	Describe func(table any) *Table
	// Owner is what columns that hold the owner have, in Go and for the database.
	Owner     func(scope any) (values, args []any)
	Equal     func(into, table any, column int, value reflect.Value)
	Points    func(into, table any, reference int)
	Order     func(into, table any, column int)
	Assign    func(into, table any, column int, value reflect.Value)
	Key       func(into, table any, unique int)
	Aggregate func(ctx context.Context, db, rows, table any, column int, function string) (any, error)
	// Cursor is what Page gives for the rows behind that one.
	Cursor func(cursors, rows, row any) (string, error)
)
