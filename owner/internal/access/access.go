// Package access gives the packages beside owner access to its internals:
// declarations, the values of a scope, and parts of statements made from columns that
// are known only at run time.
package access

import (
	"context"
	"reflect"
)

// Owner is set by package owner when it is initialized, and never changed.
var Owner Accessor

// An Accessor knows the types of package owner. Its arguments are of these types,
// which this package cannot import.
type Accessor interface {
	// Describe returns the description of each declaration: an *owner.Table, an
	// *owner.SharedTable or an owner.Grant. Within one result a table is described
	// once, even if several declarations refer to it.
	Describe(declarations ...any) []Declaration

	// Values returns the values that name the owner of an owner.Scope, in Go and for
	// the database: tenant and user of a Member, otherwise one value. It returns none
	// if owner.For did not make the scope.
	Values(scope any) (values, args []any)

	// Levels returns how many values name an owner of that type: 2 for a Member,
	// otherwise 1.
	Levels(owner any) int

	// Fill sets into to the part of the table at that place of its description: an
	// *owner.ColumnOf[R, any] to a column, and an *owner.Reference[R, any] to a
	// reference.
	Fill(into, table any, at int)

	// Fragment sets an *owner.Condition to the fragment in parentheses, or to a
	// condition that fails with err.
	Fragment(condition any, f Fragment, err error)

	// Aggregate returns the aggregate function of a column over an owner.Select.
	Aggregate(ctx context.Context, db, rows, table any, column int, function string) (any, error)

	// Cursor returns the cursor that Page of an owner.Select returns for the rows
	// after that one.
	Cursor(cursors, rows, row any) (string, error)
}

// A Declaration describes a declaration. It is zero for a value that package owner
// did not make.
type Declaration struct {
	Table *Table
	Grant *Grant // of an owner.Grant on the rows of Table, or nil
}

// A Table is a description, for reading only.
type Table struct {
	ID         any    // equal for descriptions of the same declaration
	Name       string // as declared
	Quoted     string
	Ref        string // the quoted name without its schema, and a dot
	Shared     bool
	Columns    []*Column
	OwnerTypes []reflect.Type
	Settings   []string  // the names of the settings for policies, one for each of OwnerTypes
	Owners     []*Column // tenant and owner, or the owner alone
	Key        []*Column // the primary key without the owner
	Parent     []*Column // the columns that hold the key of Through
	Version    *Column   // nil if there is none
	Through    *Table    // nil if there is none
	References []Reference
	Uniques    [][]*Column
	Upserts    [][]*Column // what an upsert takes for each of Uniques
	Incomplete error       // why no statement runs on the table, or nil
}

// A Column has the index of its place in the Columns of a Table.
type Column struct {
	At           int
	Name, Quoted string
	JSON         string
	Index        []int
	Type         reflect.Type

	PrimaryKey bool // or part of it
	Default    bool // has the tag
	Server     bool // has the tag
	Readable   bool // not hidden
	Writable   bool // by clients
	Fixed      bool // never assigned
	Optional   bool // the database can fill it
	Numeric    bool
	Nullable   bool // its type can hold NULL
}

// A Reference is a declared foreign key.
type Reference struct {
	Parent *Table
	From   []*Column // point at the parent's key
}

// A Grant lets others than the owner read rows.
type Grant struct {
	Grants   *Table
	From     []*Column // of Grants, point at the key of the rows
	Narrowed bool      // by conditions on Grants
}

// A Fragment is SQL text in pieces, with an argument between each two.
type Fragment struct {
	Pieces []string
	Uses   []int // the argument between a piece and the next
	Args   []any
}
