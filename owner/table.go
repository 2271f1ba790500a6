package owner

import (
	"reflect"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// A Table declares a table whose rows are of the struct type R and belong to owners
// of type O. Make one with [MustTable]. It is safe for concurrent use.
//
// The owner is the first condition of every statement, and all others are ANDed to it
// in parentheses; each further table in a statement has its own. Names come from the
// declaration and are quoted, and values are always parameters. The text of a
// statement depends only on its shape, so prepared statements are reused.
type Table[R any, O comparable] struct {
	_   [0]func(R, O) // prevents conversion between instantiations
	def *core.Table
}

// In returns the statements on the rows of the scope's owner. There are no others,
// apart from those of a [Grant].
func (t *Table[R, O]) In(scope Scope[O]) Scoped[R, O] {
	var s Scoped[R, O]
	s.q.Identity = scope.id
	if t != nil {
		s.q.Table = t.def
	}
	return s
}

// MustTable declares the table of that name, "table" or "schema.table". Names are
// quoted, so their case matters. Declare it once, as a package variable:
//
//	var Orders = owner.MustTable[Order, UserID]("orders",
//		owner.Unique(func(o *Order) any { return &o.Number }),
//		owner.References(Coupons, func(o *Order) any { return &o.Coupon }))
//
// The columns are the fields of R with a tag db:"column". Fields tagged db:"-" and
// unexported fields are ignored. The fields of an embedded struct without a db tag
// count as fields of R. A second tag, owner, describes the column in words separated
// by commas:
//
//	owner    holds the owner; exactly one column, of type O
//	tenant   holds the tenant, if O is a Member, whose user is the owner
//	pk       part of the primary key; left out of INSERT when zero, if it is the
//	         only such column that is not the owner or tenant; of several, each
//	         that the database fills needs the word default too
//	default  has a default; left out of INSERT when zero
//	version  counts the changes of the row: 1 when inserted, one more with each
//	         update; an integer; see Update.At
//	server   set by the service, never from a client's patch; see Table.Patch
//	hidden   like server, and not read either: the field stays zero in rows that
//	         are returned; only a View that says so reads it
//	parent   in tables made by MustThrough
//
// The key that [Select.Get] and others take has one value for each pk column that is
// not the owner or tenant, in the order of the fields. At least one column must be a
// pk.
//
// The type of the owner column decides which values are the same owner: citext,
// char(n), name and numeric(p,s) treat several texts or numbers as one.
//
// The options declare unique keys and references to other tables. Nothing adds to a
// declaration later, so every statement makes all its checks.
//
// If the declaration is wrong, MustTable panics with an error that names everything
// that is wrong with it.
func MustTable[R any, O comparable](name string, options ...TableOption[R]) *Table[R, O] {
	return &Table[R, O]{def: declare(name, &core.Table{OwnerTypes: ownerTypes[O]()}, options)}
}

// declare completes the declaration of t, or panics.
func declare[R any](name string, t *core.Table, options []TableOption[R]) *core.Table {
	return core.MustDeclare(name, reflect.TypeFor[R](), t, func(d *core.Declaration) { apply(d, options) })
}
