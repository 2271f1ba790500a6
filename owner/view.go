package owner

import (
	"reflect"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// A View reads columns of a table's rows, and of rows related to them, into another
// struct. It is read-only. Make one with [MustView], and columns for its conditions and
// orders with [Column].
type View[V, B any, O comparable] struct {
	_   [0]func(V, B, O)
	def *core.Table
}

func (v *View[V, B, O]) declared(V) *core.Table {
	if v == nil {
		return nil
	}
	return v.def
}

// In returns the select of the view on the rows of the scope's owner.
func (v *View[V, B, O]) In(scope Scope[O]) Select[V, O] {
	var s Select[V, O]
	s.q.Identity = scope.id
	if v != nil {
		s.q.Table = v.def
	}
	return s
}

// Of returns the view of the rows that a select on its table chooses. Conditions on
// the table can name columns that the view does not have. In a view that groups rows
// they apply before the grouping.
func (v *View[V, B, O]) Of(rows Select[B, O]) Select[V, O] {
	s := v.In(Scope[O]{id: rows.q.Identity})
	s.q.Of(&rows.q)
	return s
}

// A ViewOption is a part of the declaration of a [View]. [Join], [LeftJoin] and
// [Distinct] make one. A nil option is an error of the declaration.
type ViewOption interface {
	declareIn(v *core.View, problem func(string, ...any))
}

type viewOption func(v *core.View, problem func(string, ...any))

func (o viewOption) declareIn(v *core.View, problem func(string, ...any)) { o(v, problem) }

// Join adds the rows at the other end of a reference: the parent of rows that the
// view has already, or otherwise their children. Rows without one are left out. The
// view's fields call the added columns "alias.column". Only rows of the owner are
// joined.
func Join[C, P any](alias string, ref Reference[C, P]) ViewOption {
	return viewOption(func(v *core.View, problem func(string, ...any)) { v.Join(alias, ref.ref, false, problem) })
}

// LeftJoin is like [Join], but keeps rows without one, with NULL in the added
// columns. The view's fields for these must be pointers or other types that can hold
// NULL.
func LeftJoin[C, P any](alias string, ref Reference[C, P]) ViewOption {
	return viewOption(func(v *core.View, problem func(string, ...any)) { v.Join(alias, ref.ref, true, problem) })
}

// Distinct removes rows of the view that are equal to others.
func Distinct() ViewOption {
	return viewOption(func(v *core.View, _ func(string, ...any)) { v.Distinct() })
}

// MustView declares a view. The fields of V have tags db:"column" for columns of the
// table and db:"alias.column" for those of a [Join]. Their types are those of the
// columns, or pointers to them. A tag owner adds:
//
//	sum, min, max, avg, count   over the rows that are equal in all other fields;
//	                            count also with db:"*"
//	hidden                      read a column that the table hides
//
// With one of the first five, rows are grouped by the fields that have none, and
// conditions on the view's columns are about the groups (HAVING). sum of no rows is
// 0; min, max and avg of no rows are NULL.
//
// If the declaration is wrong, MustView panics with an error that names everything
// that is wrong with it.
func MustView[V, B any, O comparable](of *Table[B, O], options ...ViewOption) *View[V, B, O] {
	base, _ := of.declaration()
	return &View[V, B, O]{def: declareView(reflect.TypeFor[V](), base, options)}
}

// declareView declares a view with rows of that type, or panics.
func declareView(row reflect.Type, base *core.Table, options []ViewOption) *core.Table {
	return core.MustView(row, base, func(v *core.View, problem func(string, ...any)) {
		for _, o := range options {
			if o == nil {
				problem("an option is nil")
				continue
			}
			o.declareIn(v, problem)
		}
	})
}
