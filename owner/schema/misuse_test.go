package schema_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
	"github.com/rowkeeper/rowkeeper/owner/schema"
)

// recordingT is a test that records its failures.
type recordingT struct {
	ctx    context.Context
	failed []string
}

func (t *recordingT) Helper()                  {}
func (t *recordingT) Context() context.Context { return t.ctx }
func (t *recordingT) Errorf(format string, args ...any) {
	t.failed = append(t.failed, fmt.Sprintf(format, args...))
}

func TestCheckAndVerifyT(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, shopDDL)
		schema.VerifyT(t, db, shop...)
		require.NoError(t, schema.Check(t.Context(), db, schema.Advice, shop...))

		ownerkit.MustExec(t, db, `alter table receipts alter column shop_id drop not null`)
		ownerkit.MustExec(t, db, `alter table receipts add column paid bool not null`)
		ownerkit.MustExec(t, db, `drop index receipts_shop`)
		found := verified(t, db, shop...)
		require.Len(t, found, 3)
		var severities []schema.Severity
		var texts []string
		for _, f := range found {
			severities = append(severities, f.Severity)
			texts = append(texts, f.String())
		}
		require.Equal(t, []schema.Severity{schema.Exposed, schema.Broken, schema.Advice}, severities, "the worst first")
		require.Equal(t, "exposed: receipts: shop_id: it holds the owner and can be NULL, and such a row is nobody's\n"+
			"\tsql  alter table \"receipts\" alter column \"shop_id\" set not null;", texts[0])

		rec := &recordingT{ctx: t.Context()}
		schema.VerifyT(rec, db, shop...)
		require.Equal(t, texts, rec.failed)

		for n, from := range map[int]schema.Severity{1: schema.Exposed, 2: schema.Broken, 3: schema.Advice} {
			err := schema.Check(t.Context(), db, from, shop...)
			require.EqualError(t, err, "owner/schema: "+strings.Join(texts[:n], "\nowner/schema: "))
		}
		require.ErrorContains(t, schema.Check(t.Context(), db, 0, shop...), "owner/schema: Check: 0 is no severity")

		// A schema that cannot be read is not a success.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, schema.Check(ctx, db, schema.Exposed, shop...), context.Canceled)
		rec = &recordingT{ctx: ctx}
		schema.VerifyT(rec, db, shop...)
		require.Len(t, rec.failed, 1)
	})
}

func TestVerifyAndRLSRefuseMisuse(t *testing.T) {
	t.Parallel()
	var none *owner.Table[receipt, shopID]
	for text, call := range map[string]func(db owner.DB) error{
		"Verify: no tables were given":   func(db owner.DB) error { _, err := schema.Verify(t.Context(), db); return err },
		"Verify: table number 2 was not": func(db owner.DB) error { _, err := schema.Verify(t.Context(), db, receipts, none); return err },
		"Verify: table number 1 was not": func(db owner.DB) error { _, err := schema.Verify(t.Context(), db, schema.WithRLS(nil)...); return err },
		"RLS: table number 1 was not": func(db owner.DB) error {
			_, err := schema.RLS(t.Context(), db, owner.Grant[access, basket, shopID]{})
			return err
		},
		"Verify: the database is nil": func(owner.DB) error { _, err := schema.Verify(t.Context(), nil, receipts); return err },
		"RLS: the database is nil": func(owner.DB) error {
			_, err := schema.RLS(t.Context(), (*ownerkit.Recorder)(nil), receipts)
			return err
		},
	} {
		refused(t, call, text)
	}
}

func TestRLSRefuses(t *testing.T) {
	of := owner.MustThrough[access2]("accesses", baskets)
	basketOf := owner.Column(accesses, func(a *access) *int64 { return &a.Basket })
	bytes := owner.MustTable[raw, rawOwner]("bytes")
	elsewhere := owner.MustTable[customer, shopID]("elsewhere")
	view := owner.MustTable[receipt, shopID]("receipts_view")
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			return // see eachWall
		}
		ownerkit.MustExec(t, db, shopDDL+"create table bytes (id int8 primary key, who bytea not null); create view receipts_view as select * from receipts")
		for text, tables := range map[string][]owner.AnyTable{
			"owner/schema: RLS: the Grant on baskets has conditions":                                    {basketGrant.Where(basketOf.Gt(1))},
			"owner/schema: RLS: table accesses says who can read baskets, and also belongs to its rows": {basketGrant, of},
			"owner/schema: RLS: column bytes.who is of type bytea":                                      {bytes},
			"owner/schema: RLS: table elsewhere is not there":                                           {elsewhere},
			"owner/schema: RLS: receipts_view is a view":                                                {view},
		} {
			_, err := schema.RLS(t.Context(), db, tables...)
			require.ErrorContains(t, err, text)
		}
	})
}

// Two owner types with the same name could be confused.
func TestRLSRefusesSettingsThatAreShared(t *testing.T) {
	type same int64
	type row struct {
		ID   int64 `db:"id" owner:"pk"`
		Shop same  `db:"shop_id" owner:"owner"`
	}
	one := owner.MustTable[row, same]("receipts")
	other := func() owner.AnyTable {
		type same int64
		type row struct {
			ID   int64 `db:"id" owner:"pk"`
			Shop same  `db:"shop_id" owner:"owner"`
		}
		return owner.MustTable[row, same]("accesses")
	}()
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			return // see eachWall
		}
		ownerkit.MustExec(t, db, shopDDL)
		_, err := schema.RLS(t.Context(), db, one, other)
		require.ErrorContains(t, err, "would share the setting rowkeeper.schema_test_same; rename one")
	})
}

type access2 struct {
	ID     int64  `db:"id" owner:"pk"`
	Shop   shopID `db:"shop_id"`
	Basket int64  `db:"basket_id" owner:"parent"`
}

// Views have columns only; partitions and comments belong to their tables.
func TestVerifyLooksPastViewsAndPartitions(t *testing.T) {
	view := owner.MustTable[receipt, shopID]("receipts_view")
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, shopDDL)
		ownerkit.MustExec(t, db, `create view receipts_view as select id, shop_id, basket_id from receipts`)
		ownerkit.MustExec(t, db, `create view others as select id, shop_id from receipts`)
		ownerkit.MustExec(t, db, `create table audit (id int8 primary key, shop_id int8)`)
		ownerkit.MustExec(t, db, `comment on table audit is 'Written by triggers. rowkeeper: undeclared'`)
		ownerkit.MustExec(t, db, `create table other_type (id int8 primary key, shop_id text)`)
		ownerkit.MustExec(t, db, `create table other_name (id int8 primary key, shop int8)`)
		require.Empty(t, verified(t, db, append(shop, view)...))

		ownerkit.MustExec(t, db, `drop view receipts_view`)
		ownerkit.MustExec(t, db, `create view receipts_view as select id, basket_id from receipts`)
		found := verified(t, db, append(shop, view)...)
		require.Len(t, found, 1)
		require.Equal(t, schema.Finding{Severity: schema.Broken, Table: "receipts_view", Name: "shop_id",
			Problem: "there is no such column, so every statement fails"}, found[0])

		if db.Cockroach() {
			return // which has no partitions that are tables
		}
		ownerkit.MustExec(t, db, partsDDL+`create table receipts_old () inherits (receipts)`)
		require.Empty(t, verified(t, db, append(shop, logs)...))
		require.Len(t, verified(t, db, shop...), 1, "a table that is not declared, without its partitions")
	})
}

// A table in another schema is found by its full name, and so are those beside it.
func TestVerifyInAnotherSchema(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		there := freshSchema(t, db)
		ownerkit.MustExec(t, there, `create table receipts (id int8 primary key default 1, shop_id int8 not null, basket_id int8)`)
		ownerkit.MustExec(t, there, `create table beside (id int8 primary key, shop_id int8)`)
		table := owner.MustTable[access3, shopID](there.Schema + ".receipts")
		found := verified(t, db, table)
		require.Len(t, found, 2)
		require.Equal(t, there.Schema+".beside", found[0].Table)
		require.Equal(t, there.Schema+".receipts", found[1].Table)
		for _, f := range found {
			mend(t, db, f)
		}
		require.Empty(t, verified(t, db, table))
	})
}

type access3 struct {
	ID     int64  `db:"id" owner:"pk"`
	Shop   shopID `db:"shop_id" owner:"owner"`
	Basket *int64 `db:"basket_id"`
}

func TestVerifyInManyGoroutines(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, shopDDL)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				_, err := schema.Verify(t.Context(), db, shop...)
				assert.NoError(t, err)
			})
		}
		wg.Wait()
	})
}
