// Package access is how the packages beside owner reach what it keeps from
// everybody else: what was declared, the values of a scope, and parts of statements
// made from columns that are known at run time only.
package access

import (
	"context"
	"reflect"
)

// Owner is package owner, which sets it when it starts. Nobody else does.
var Owner Accessor

// An Accessor knows the types of package owner. Its arguments are of these types,
// which this package cannot import.
type Accessor interface {
	// Describe returns what declarations say: an *owner.Table, an *owner.SharedTable
	// or an owner.Grant each. Within one result a table is described once, however
	// many declarations refer to it.
	Describe(declarations ...any) []Declaration

	// Values returns what names the owner of an owner.Scope, in Go and for the
	// database: tenant and user of a Member, otherwise one value. There are none if
	// owner.For did not make the scope.
	Values(scope any) (values, args []any)

	// Levels returns how many values name an owner of that type: 2 for a Member,
	// and otherwise 1.
	Levels(owner any) int

	// Fill sets into to what a table has at that place of its description: an
	// *owner.ColumnOf[R, any] to a column, an *owner.Reference[R, any] to a
	// reference, and an *owner.Key[R] to a unique key.
	Fill(into, table any, at int)

	// Fragment sets an *owner.Condition to the fragment in parentheses, or to one
	// that fails with the error.
	Fragment(condition any, f Fragment, err error)

	// Aggregate returns the aggregate function of a column over an owner.Select.
	Aggregate(ctx context.Context, db, rows, table any, column int, function string) (any, error)

	// Cursor returns the cursor that the Page of an owner.Select gives for the rows
	// behind that one.
	Cursor(cursors, rows, row any) (string, error)
}

// A Declaration says what was declared. The zero Declaration is that of a value
// that package owner did not make.
type Declaration struct {
	Table *Table
	Grant *Grant // of an owner.Grant on the rows of Table, otherwise nil
}

// A Table is described for reading only.
type Table struct {
	ID         any    // equal for descriptions of the same declaration
	Name       string // as declared
	Quoted     string
	Ref        string // the quoted name without its schema, and a dot
	Shared     bool
	Columns    []*Column
	OwnerTypes []reflect.Type
	Settings   []string  // that name the owner to policies, one for each of OwnerTypes
	Owners     []*Column // tenant and owner, or that alone
	Key        []*Column // the primary key without the owner
	Parent     []*Column // what points at the key of Through
	Version    *Column   // or nil
	Through    *Table    // or nil
	References []Reference
	Uniques    [][]*Column
}

// A Column is at a place in the Columns of a Table.
type Column struct {
	At           int
	Name, Quoted string
	JSON         string
	Index        []int
	Type         reflect.Type

	PrimaryKey bool // or a part of it
	Default    bool // tagged so
	Server     bool // tagged so
	Readable   bool // not hidden
	Writable   bool // by clients
	Fixed      bool // never assigned
	Optional   bool // the database can fill it
	Numeric    bool
	Nullable   bool // its type can hold NULL
}

// A Reference is a foreign key that is declared.
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

// A Fragment is SQL text with an argument between each two pieces of it.
type Fragment struct {
	Pieces []string
	Uses   []int // which argument stands between a piece and the next
	Args   []any
}
