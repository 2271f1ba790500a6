package owner

import "github.com/rowkeeper/rowkeeper/owner/internal/core"

// Declared is a table or view with rows R: a [Table], a [SharedTable] or a [View]. A
// [Forward] is one as soon as it is defined.
type Declared[R any] interface {
	declared(R) *core.Table
}

func defined[R any](d Declared[R]) *core.Table {
	if d == nil {
		return nil
	}
	var row R
	return d.declared(row)
}

func (t *Table[R, O]) declared(R) *core.Table {
	if t == nil {
		return nil
	}
	return t.def
}

// AnyTable is a declaration with any types: a [Table], a [SharedTable] or a [Grant].
// Package owner/schema compares them with the database. Only the types of this
// package implement it.
type AnyTable interface {
	declaration() (*core.Table, *core.Grant)
}

func (t *Table[R, O]) declaration() (*core.Table, *core.Grant) {
	if t == nil {
		return nil, nil
	}
	return t.def, nil
}

func (t *SharedTable[R]) declaration() (*core.Table, *core.Grant) {
	if t == nil {
		return nil, nil
	}
	return t.q.Table, nil
}

func (g Grant[G, R, O]) declaration() (*core.Table, *core.Grant) { return g.table, g.untyped }

// A SharedTable declares a table whose rows belong to nobody and that everybody may
// read, such as a list of countries. It can only be read: its methods are those of
// [Select], whose owner type is struct{}, of which no scope can be made. Make one with [MustShared].
//
// Nothing in this package writes to it, since no owner's request may change what all
// others read. Its rows come from a migration or from an administrator's job: write
// those with package across, which records who did it and why.
type SharedTable[R any] struct {
	Select[R, struct{}]
}

func (t *SharedTable[R]) declared(R) *core.Table {
	if t == nil {
		return nil
	}
	return t.q.Table
}

// MustShared declares a table whose rows everybody may read. The struct, its tags and
// the options are those of [MustTable], but no column is the owner, and a table that
// is never written has no [Unique]. It panics as MustTable does.
func MustShared[R any](name string, options ...TableOption[R]) *SharedTable[R] {
	t := new(SharedTable[R])
	t.q.Table = declare(name, &core.Table{Shared: true}, options)
	return t
}

// MustThrough declares a table whose rows belong to the owner of their parent and that
// has no owner column of its own, such as the lines of an order. Its fields tagged
// parent hold the key of the parent: one for each pk column of the parent that is not
// the owner, in the same order and of the same types.
//
//	type Line struct {
//		OrderID int64  `db:"order_id" owner:"pk,parent"`
//		Number  int32  `db:"number"   owner:"pk"`
//		Text    string `db:"text"`
//	}
//	var Lines = owner.MustThrough[Line]("lines", Orders)
//
// Every statement has the condition that the parent is the owner's. An insert that
// names another parent fails with [ErrReference]. A row stays with its parent: no
// update changes the columns tagged parent. Statements that write or lock such rows
// lock the parent FOR KEY SHARE until the transaction ends; see [Scoped.TransferTo].
//
// The columns tagged parent are a reference to the parent, which [ReferenceOf] finds.
// The options are those of [MustTable], and MustThrough panics as that does.
func MustThrough[R, P any, O comparable](name string, parent *Table[P, O], options ...TableOption[R]) *Table[R, O] {
	if parent == nil || parent.def == nil {
		panic(core.Misuse("table %q: the parent was not made by MustTable or MustThrough", name))
	}
	return &Table[R, O]{def: declare(name, &core.Table{Through: parent.def, OwnerTypes: ownerTypes[O]()}, options)}
}
