package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/schema"
)

type leaf struct {
	ID     int64  `db:"id" owner:"pk"`
	UserID UserID `db:"user_id" owner:"owner"`
	Name   string `db:"name"`
	Above  *int64 `db:"above"`
	Cached int    `db:"-"`
}

func leafName(l *leaf) any  { return &l.Name }
func leafAbove(l *leaf) any { return &l.Above }

// A declaration names all that is wrong with its options.
func TestWrongOptions(t *testing.T) {
	t.Parallel()
	tenants := owner.MustTable[whole, int32]("wholes")
	var undefined *owner.Forward[Order]
	for want, options := range map[string][]owner.TableOption[leaf]{
		"an option is nil":                                      {nil},
		"Unique: at least one field is needed":                  {owner.Unique[leaf]()},
		"Unique: a function is nil":                             {owner.Unique[leaf](nil)},
		"it returned another *int":                              {owner.Unique(func(l *leaf) any { return &l.Cached })},
		"it returned another string":                            {owner.Unique(func(l *leaf) any { return l.Name })},
		"it returned another *string":                           {owner.Unique(func(*leaf) any { return &new(leaf).Name })},
		"it returned another <nil>":                             {owner.Unique(func(*leaf) any { return nil })},
		"Unique: column leaves.name comes twice":                {owner.Unique(leafName, leafName)},
		`Unique: the columns "name", "above" come twice`:        {owner.Unique(leafAbove, leafName), owner.Unique(leafName, leafAbove)},
		"References: at least one field is needed":              {owner.References[leaf](Orders)},
		"References: the parent was not made by MustTable":      {owner.References[leaf, Order](nil, leafAbove)},
		"the parent was not made by MustTable, MustThrough or ": {owner.References[leaf, Order](undefined, leafAbove)},
		"MustTable, MustThrough or MustShared":                  {owner.References(OrderCodes, leafAbove)},
		"table leaves: the key of lines has 2 columns besides its owner, but 1 column points at it": {owner.References(Lines, leafAbove)},
		"column leaves.name: it is of type string, but points at orders.id of type int64":           {owner.References(Orders, leafName)},
		"column leaves.name: it is of type string, but points at leaves.id of type int64":           itself(leafName),
		"table leaves: its owner is no owner of wholes, at which it is to point":                    {owner.References(tenants, leafAbove)},
		"table leaves: it points at orders by the same columns twice":                               {owner.References(Orders, leafAbove), owner.References(Orders, leafAbove)},
		"References: two point at the same Forward by the same columns":                             itself(leafAbove, leafAbove),
		"the Forward is nil":                       {(*owner.Forward[leaf])(nil)},
		"the Forward stands for documents already": {documentsForward()},
	} {
		err := owner.DeclarationError(func() { owner.MustTable[leaf, UserID]("leaves", options...) })
		require.ErrorContains(t, err, want)
		require.Regexp(t, `^owner: table "leaves" of owner_test.leaf:`, err.Error())
	}
	err := owner.DeclarationError(func() {
		owner.MustTable[leaf, UserID]("a.b.c", nil, owner.Unique(leafName, leafName), owner.References(Orders, leafName))
	})
	require.EqualError(t, err, `owner: table "a.b.c" of owner_test.leaf:
	the name must be "table" or "schema.table"
	an option is nil
	Unique: column a.b.c.name comes twice
	column a.b.c.name: it is of type string, but points at orders.id of type int64`)

	err = owner.DeclarationError(func() {
		owner.MustShared[Country]("countries", owner.Unique(func(c *Country) any { return &c.Name }))
	})
	require.ErrorContains(t, err, "Unique: the table is shared, and never written")
	err = owner.DeclarationError(func() {
		owner.MustThrough[Line]("lines", Orders, owner.References(Orders, func(l *Line) any { return &l.OrderID }))
	})
	require.ErrorContains(t, err, "table lines: it points at orders by the same columns twice")
	err = owner.DeclarationError(func() { owner.MustThrough[Line]("lines", (*owner.Table[Order, UserID])(nil)) })
	require.ErrorContains(t, err, "the parent was not made by MustTable")
}

// Without its table the reference could not be checked, so nothing runs.
func TestAForwardThatStandsForNothing(t *testing.T) {
	t.Parallel()
	var later owner.Forward[Order]
	leaves := owner.MustTable[leaf, UserID]("leaves", owner.References(&later, leafAbove))
	const want = "owner: table leaves: it refers to a table that is not declared yet; give the Forward to that declaration"
	id := owner.Column(leaves, func(l *leaf) *int64 { return &l.ID })
	above := owner.Column(leaves, func(l *leaf) **int64 { return &l.Above })
	in := leaves.In(me)
	for _, statement := range []func(db owner.DB) error{
		func(db owner.DB) error { return in.Insert(t.Context(), db, &leaf{}) },
		func(db owner.DB) error { return in.InsertMany(t.Context(), db, []leaf{{}}) },
		func(db owner.DB) error { return in.Update(1).Set(above.Set(nil)).Exec(t.Context(), db) },
		func(db owner.DB) error {
			_, err := in.UpdateWhere(id.Eq(1)).Set(above.Set(nil)).Exec(t.Context(), db)
			return err
		},
		func(db owner.DB) error { return in.TransferTo(t.Context(), db, other, 1) },
		func(db owner.DB) error { return in.Delete(1).Exec(t.Context(), db) },
		func(db owner.DB) error { return in.QueueInsert(&queue{}, &leaf{}) },
		func(db owner.DB) error { _, err := in.Get(t.Context(), db, 1); return err },
	} {
		requireRefused(t, statement, want)
	}
	require.Panics(t, func() { owner.ReferenceOf(&later, above) })
	var db recorder
	_, err := schema.Verify(t.Context(), &db, leaves)
	require.EqualError(t, err, "owner/schema: Verify: "+want)

	// A declaration that does not fit, or is wrong elsewhere, defines nothing.
	err = owner.TableError[Order, int64]("orders", &later)
	require.ErrorContains(t, err, "table leaves: its owner is no owner of orders, at which it is to point")
	err = owner.DeclarationError(func() { owner.MustTable[Order, UserID]("a.b.c", &later) })
	require.ErrorContains(t, err, "the name must be")
	requireRefused(t, func(db owner.DB) error { return in.Insert(t.Context(), db, &leaf{}) }, want)

	orders := owner.MustTable[Order, UserID]("orders", &later)
	require.ErrorIs(t, in.Insert(t.Context(), &db, &leaf{ID: 1, Above: &bobOrder}), errRecorded)
	require.Contains(t, db.SQL, `exists (select 1 from "orders" as _1 where _1."user_id" = $1 and _1."id" = `)
	require.NotPanics(t, func() { owner.ReferenceOf(orders, above) })
	require.NotPanics(t, func() { owner.ReferenceOf(&later, above) }, "it stands for the table")
}

// Neither a wrong declaration nor its order of options leaves a reference behind.
func TestForwardsOfOneDeclaration(t *testing.T) {
	t.Parallel()
	var forward owner.Forward[leaf]
	err := owner.DeclarationError(func() { owner.MustTable[leaf, UserID]("leaves", owner.References(&forward, leafAbove), nil) })
	require.ErrorContains(t, err, "an option is nil")
	err = owner.DeclarationError(func() {
		owner.MustTable[leaf, UserID]("leaves", owner.References(&forward, leafAbove), owner.References(&forward, leafAbove))
	})
	require.ErrorContains(t, err, "References: two point at the same Forward by the same columns")
	err = owner.DeclarationError(func() { owner.MustTable[leaf, UserID]("leaves", &forward, &forward) })
	require.ErrorContains(t, err, "the same Forward comes twice")
	err = owner.DeclarationError(func() {
		owner.MustTable[leaf, UserID]("leaves", &forward, owner.References(&forward, leafName))
	})
	require.ErrorContains(t, err, "column leaves.name: it is of type string, but points at leaves.id of type int64")

	leaves := owner.MustTable[leaf, UserID]("leaves", &forward, owner.References(&forward, leafAbove))
	above := owner.Column(leaves, func(l *leaf) **int64 { return &l.Above })
	var db recorder
	require.ErrorIs(t, leaves.In(me).Insert(t.Context(), &db, &leaf{ID: 1, Above: &bobOrder}), errRecorded)
	require.Contains(t, db.SQL, `exists (select 1 from "leaves" as _1 where _1."user_id" = $1 and _1."id" = `)
	require.NotPanics(t, func() { owner.ReferenceOf(leaves, above) })
}

type whole struct {
	Tenant int32 `db:"tenant_id" owner:"owner"`
	ID     int64 `db:"id" owner:"pk"`
}

// documentsForward returns an option that defines again what is defined.
func documentsForward() owner.TableOption[leaf] {
	f := new(owner.Forward[leaf])
	owner.MustTable[leaf, UserID]("documents", f)
	return f
}

// itself returns options by which leaves point at leaves.
func itself(by ...func(*leaf) any) []owner.TableOption[leaf] {
	f := new(owner.Forward[leaf])
	options := []owner.TableOption[leaf]{f}
	for _, field := range by {
		options = append(options, owner.References(f, field))
	}
	return options
}

func otherLeafID() owner.ColumnOf[leaf, int64] {
	return owner.Column(owner.MustTable[leaf, UserID]("others"), func(l *leaf) *int64 { return &l.ID })
}
