package owner

import "github.com/rowkeeper/rowkeeper/owner/internal/core"

// A Reference is a foreign key by which rows C point at rows P, as it was declared by
// [References]. [ReferenceOf] returns it. It makes conditions on related rows and joins
// them in a [View]. The zero Reference is an error of the statement or view.
type Reference[C, P any] struct {
	_   [0]func(C, P)
	ref *core.Reference
}

// References declares that fields of the row are a foreign key to the primary key of
// another table, the parent: one field for each of the parent's pk columns that is not
// the owner, in that order and of the same type or a pointer to it.
//
//	var Transfers = owner.MustTable[Transfer, UserID]("transfers",
//		owner.References(Accounts, func(t *Transfer) any { return &t.From }),
//		owner.References(Accounts, func(t *Transfer) any { return &t.To }))
//
// Every insert or update that gives the foreign key a value checks, in the same
// statement, that it points at a row of the owner's or of a [SharedTable]. Otherwise
// nothing is written and the error is [ErrReference], whether the target is missing or
// belongs to another owner. Package errs answers it as its catalog says of that
// foreign key. NULL points at nothing and passes.
//
// Every insert sends these columns, including pk columns, because a value that the
// database fills in cannot be checked. So they must not be tagged default. The owner
// of the parent must be that of the table, or its tenant.
//
// For the table itself, and for one that is declared later, give a [Forward].
func References[C, P any](parent Declared[P], fields ...func(row *C) any) TableOption[C] {
	return tableOption[C](func(d *core.Declaration) {
		var later *core.Forward
		if f, ok := parent.(*Forward[P]); ok && f != nil {
			later = &f.f
		}
		d.Refer(columnsAt(d, "References", fields), defined(parent), later)
	})
}

// ReferenceOf returns the reference by which these columns point at the parent. Keep
// it in a package variable, for conditions and views:
//
//	var OfCoupon = owner.ReferenceOf(Coupons, OrderCoupon)
//
// It panics unless the declaration of their table has it: by the option [References]
// with the same columns in the same order, or as the parent of [MustThrough].
func ReferenceOf[C, P any](parent Declared[P], columns ...AnyColumn[C]) Reference[C, P] {
	return Reference[C, P]{ref: core.MustReference(defined(parent), untypedColumns(columns))}
}

// untypedColumns returns the columns without their types. One that [Column] did not
// make is nil.
func untypedColumns[R any](columns []AnyColumn[R]) []*core.Column {
	var row R
	out := make([]*core.Column, len(columns))
	for i, c := range columns {
		if c != nil {
			out[i] = c.column(row)
		}
	}
	return out
}

// Has is true if one of the owner's rows C points at the row and satisfies all
// conditions.
func (r Reference[C, P]) Has(conditions ...Condition[C]) Condition[P] {
	return Condition[P]{untyped: r.ref.Has(untyped(nil, conditions))}
}

// To is true if the row points at a row P that is the owner's and satisfies all
// conditions.
func (r Reference[C, P]) To(conditions ...Condition[P]) Condition[C] {
	return Condition[C]{untyped: r.ref.To(untyped(nil, conditions))}
}
