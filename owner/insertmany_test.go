package owner_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestInsertMany(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		require.NoError(t, Orders.In(me).InsertMany(ctx, db, []Order{
			{ID: 70, Number: 20, Title: "a", Country: "at"}, {UserID: alice, Number: 21, Title: "b", Country: "ch", Coupon: nil},
		}))
		require.NoError(t, Lines.In(me).InsertMany(ctx, db, []Line{{OrderID: 70, N: 1}, {OrderID: 70, N: 2}}))
		ownerkit.RequireCount(t, db, 2, Orders.In(me).Where(OrderNumber.In(20, 21), OrderVersion.Eq(1)).Count)
		require.NoError(t, Accounts.In(me).InsertMany(ctx, db, make([]Account, 2000)))
		require.NoError(t, Accounts.In(me).InsertMany(ctx, db, nil))
		ownerkit.RequireCount(t, db, 2002, Accounts.In(me).Count)
		require.ErrorIs(t, Accounts.In(me).InsertMany(ctx, db, []Account{{}, {UserID: bob}}), owner.ErrOtherOwner)
		requireRefused(t, func(db owner.DB) error { return Accounts.In(me).InsertMany(ctx, db, make([]Account, 30000)) },
			"insert 21844 at a time, in a transaction")
		ownerkit.RequireBobsAccountsUnchanged(t, db)
		ownerkit.RequireBobsShopUnchanged(t, db)
	})
}

// Task belongs to a user of a tenant, and points at another user's tag.
type (
	tenantUser = owner.Member[int32, UserID]
	Tag        struct {
		Tenant int32  `db:"tenant_id" owner:"tenant"`
		User   UserID `db:"user_id" owner:"owner"`
		ID     int64  `db:"id" owner:"pk"`
	}
	Task struct {
		ID     int64  `db:"id" owner:"pk"`
		Tenant int32  `db:"tenant_id" owner:"tenant"`
		User   UserID `db:"user_id" owner:"owner"`
		Tag    *int64 `db:"tag_id"`
		Other  *int64 `db:"other_id"`
		N      *int32 `db:"n"`
	}
	// Step has a key of its own, which is declared before its parent.
	Step struct {
		ID   int64  `db:"id" owner:"pk"`
		Task int64  `db:"task_id" owner:"parent"`
		N    *int32 `db:"n"`
	}
)

var (
	Tags  = owner.MustTable[Tag, tenantUser]("tags")
	Tasks = owner.MustTable[Task, tenantUser]("tasks",
		owner.References(Tags, func(t *Task) any { return &t.Tag }),
		owner.References(Tags, func(t *Task) any { return &t.Other }))
	Steps = owner.MustThrough[Step]("steps", Tasks)

	worker = ownerkit.Scope(tenantUser{Tenant: 1, User: alice})
)

const tasksDDL = `create sequence task_ids start 5000;
create table tags (tenant_id int4 not null, user_id int8 not null, id int8 primary key);
create table tasks (id int8 primary key default nextval('task_ids'), tenant_id int4 not null, user_id int8 not null,
	tag_id int8 references tags, other_id int8 references tags, n int4 not null check (n > 0), unique (tenant_id, n));
create table steps (id int8 primary key default nextval('task_ids'), task_id int8 not null references tasks, n int4 not null check (n > 0), unique (task_id, n));
insert into tags values (1, 42, 1), (1, 42, 2), (1, 43, 3), (2, 42, 4);
insert into tasks values (1, 1, 42, 1, null, 1), (2, 1, 42, null, 2, 2), (3, 1, 43, 3, 3, 3), (4, 2, 42, null, 4, 4);
insert into steps values (1, 1, 1), (2, 3, 1), (3, 4, 1);`

func ptr[V any](v V) *V { return &v }

func TestInsertManyText(t *testing.T) {
	t.Parallel()
	const (
		mark    = ` then 'rowkeeper references: ' else '0' end as bigint) = 0 then `
		orders  = `insert into "orders" ("user_id", "number", "title", "total", "secret", "coupon_id", "country", "version") values (`
		country = `exists (select 1 from (select unnest(array[coalesce((select "code" from "countries" where false), $%d)]) as "code") as _%d` +
			` where not (exists (select 1 from "countries" as _%d where true and _%[3]d."code" = _%[2]d."code")))`
		ofMine = `else (select "user_id" from "orders" where false) end`
	)
	for name, tc := range map[string]struct {
		run  func(db owner.DB) error
		want string
		args []any
	}{
		"without references": {
			func(db owner.DB) error {
				return Accounts.In(me).InsertMany(t.Context(), db, []Account{{Name: "x"}, {ID: 7, Name: "y"}})
			},
			`insert into "accounts" ("user_id", "id", "name", "nick", "balance") values ($1, default, $2, $3, $4), ($1, $5, $6, $7, $8)`,
			[]any{alice, "x", (*string)(nil), int64(0), int64(7), "y", (*string)(nil), int64(0)},
		},
		"references, and a shared table": {
			func(db owner.DB) error {
				return Orders.In(me).InsertMany(t.Context(), db, []Order{{Country: "at"}, {Coupon: ptr(int64(7)), Country: "at"}})
			},
			orders + `case when cast(case when exists (select 1 from (select unnest(array[coalesce((select "id" from "coupons" where false), $2)]) as "id") as _1` +
				` where not (exists (select 1 from "coupons" as _2 where _2."user_id" = $1 and _2."id" = _1."id" for key share))) or ` +
				fmt.Sprintf(country, 3, 3, 4) + mark + `$1 ` + ofMine + `, $4, $5, $6, $7, $8, $9, 1), ($1, $10, $11, $12, $13, $14, $15, 1)`,
			[]any{
				alice, ptr(int64(7)), "at", int32(0), "", int64(0), "", (*int64)(nil), "at",
				int32(0), "", int64(0), "", ptr(int64(7)), "at",
			},
		},
		"references that are all NULL": {
			func(db owner.DB) error {
				return Orders.In(me).InsertMany(t.Context(), db, []Order{{Country: "at"}})
			},
			orders + `case when cast(case when ` + fmt.Sprintf(country, 2, 1, 2) + mark + `$1 ` + ofMine + `, $3, $4, $5, $6, $7, $8, 1)`,
			[]any{alice, "at", int32(0), "", int64(0), "", (*int64)(nil), "at"},
		},
		"a child, and each parent once, up to a power of two": {
			func(db owner.DB) error {
				return Steps.In(worker).InsertMany(t.Context(), db, []Step{{Task: 5}, {Task: 6}, {ID: 9, Task: 5}, {Task: 7}})
			},
			`insert into "steps" ("task_id", "id", "n") values (case when cast(case when` +
				` exists (select 1 from (select unnest(array[coalesce((select "id" from "tasks" where false), $3), $4, $5, $6]) as "id") as _1` +
				` where not (exists (select 1 from "tasks" as _2 where _2."tenant_id" = $1 and _2."user_id" = $2 and _2."id" = _1."id" for key share)))` + mark +
				`$7 else (select "task_id" from "steps" where false) end, default, $8), ($9, default, $10), ($11, $12, $13), ($14, default, $15)`,
			[]any{
				int32(1), alice, int64(5), int64(6), int64(7), int64(7), int64(5), (*int32)(nil), int64(6), (*int32)(nil),
				int64(5), int64(9), (*int32)(nil), int64(7), (*int32)(nil),
			},
		},
		"two references to one table": {
			func(db owner.DB) error {
				return Tasks.In(worker).InsertMany(t.Context(), db, []Task{{Tag: ptr(int64(5)), Other: ptr(int64(5))}})
			},
			`insert into "tasks" ("tenant_id", "user_id", "tag_id", "other_id", "n") values (case when cast(case when` +
				` exists (select 1 from (select unnest(array[coalesce((select "id" from "tags" where false), $3)]) as "id") as _1` +
				` where not (exists (select 1 from "tags" as _2 where _2."tenant_id" = $1 and _2."user_id" = $2 and _2."id" = _1."id" for key share)))` + mark +
				`$1 else (select "tenant_id" from "tasks" where false) end, $2, $4, $5, $6)`,
			[]any{int32(1), alice, ptr(int64(5)), ptr(int64(5)), ptr(int64(5)), (*int32)(nil)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var db recorder
			require.ErrorIs(t, tc.run(&db), errRecorded)
			require.Equal(t, tc.want, db.SQL)
			require.Equal(t, tc.args, db.Args)
		})
	}
}

// The text depends on the number of rows and of their parents, the latter up to a
// power of two, and not on which row comes first or its values.
func TestInsertManyTextsAreFew(t *testing.T) {
	t.Parallel()
	texts := map[string]bool{}
	for n := 1; n <= 600; n++ {
		rows := make([]Line, 600)
		for i := range rows {
			rows[i] = Line{OrderID: int64(i % n), N: 1}
		}
		var db recorder
		require.ErrorIs(t, Lines.In(me).InsertMany(t.Context(), &db, rows), errRecorded)
		texts[db.SQL] = true
	}
	require.Len(t, texts, 11)
	clear(texts)
	for i := range 2 {
		rows := make([]Order, 2)
		rows[i].Coupon = &bobCoupon
		var db recorder
		require.ErrorIs(t, Orders.In(me).InsertMany(t.Context(), &db, rows), errRecorded)
		texts[db.SQL] = true
	}
	require.Len(t, texts, 1)
}

func TestInsertManyParametersAreCounted(t *testing.T) {
	t.Parallel()
	lines := make([]Line, 16000)
	for i := range lines {
		lines[i] = Line{OrderID: int64(i), N: 1}
	}
	requireRefused(t, func(db owner.DB) error { return Lines.In(me).InsertMany(t.Context(), db, lines) },
		"table lines: 16000 rows of 4 columns are more than a statement can carry; insert 13106 at a time")
	var db recorder
	require.ErrorIs(t, Lines.In(me).InsertMany(t.Context(), &db, lines[:13106]), errRecorded)
	require.Len(t, db.Args, 1+5*13106)
	for i := range lines {
		lines[i].OrderID = 1
	}
	require.ErrorIs(t, Lines.In(me).InsertMany(t.Context(), &db, lines), errRecorded)
}

// If a row points at one that is not the owner's, the error says so before anything
// else, whether that row exists or not. So a conflict with a row of the stranger's is
// not revealed.
func TestInsertManyChecksReferencesFirst(t *testing.T) {
	code := func(err error) string {
		var pe *pgconn.PgError
		require.ErrorAs(t, err, &pe)
		return pe.Code
	}
	type attempt struct {
		code   string                          // of the other error; the two engines may have two
		insert func(tx pgx.Tx, to int64) error // the one pointed at
	}
	steps := func(rows func(task int64) []Step) func(pgx.Tx, int64) error {
		return func(tx pgx.Tx, to int64) error { return Steps.In(worker).InsertMany(t.Context(), tx, rows(to)) }
	}
	tasks := func(rows func(tag *int64) []Task) func(pgx.Tx, int64) error {
		return func(tx pgx.Tx, to int64) error { return Tasks.In(worker).InsertMany(t.Context(), tx, rows(&to)) }
	}
	orders := func(rows func(coupon *int64) []Order) func(pgx.Tx, int64) error {
		return func(tx pgx.Tx, to int64) error { return Orders.In(me).InsertMany(t.Context(), tx, rows(&to)) }
	}
	lines := func(rows func(order int64) []Line) func(pgx.Tx, int64) error {
		return func(tx pgx.Tx, to int64) error { return Lines.In(me).InsertMany(t.Context(), tx, rows(to)) }
	}
	one, zero := ptr(int32(1)), ptr(int32(0))
	for name, c := range map[string]struct {
		own      int64
		others   []int64
		attempts map[string]attempt
	}{
		"lines": {1, []int64{bobOrder, 999}, map[string]attempt{
			"its key":             {"23505", lines(func(order int64) []Line { return []Line{{OrderID: order, N: 1}} })},
			"its key, in the end": {"23505", lines(func(order int64) []Line { return []Line{{OrderID: 2, N: 9}, {OrderID: order, N: 1}} })},
			"its key, before":     {"23505", lines(func(order int64) []Line { return []Line{{OrderID: 1, N: 1}, {OrderID: order, N: 8}} })},
			"the key twice":       {"23505", lines(func(order int64) []Line { return []Line{{OrderID: order, N: 8}, {OrderID: order, N: 8}} })},
		}},
		"orders": {10, []int64{bobCoupon, missingCoupon}, map[string]attempt{
			"a stranger's key": {"23505", orders(func(c *int64) []Order { return []Order{{ID: bobOrder, Number: 9, Country: "at", Coupon: c}} })},
			"a stranger's key, before": {"23505", orders(func(c *int64) []Order {
				return []Order{{ID: bobOrder, Number: 9, Country: "at"}, {Number: 8, Country: "at", Coupon: c}}
			})},
			"my number": {"23505", orders(func(c *int64) []Order { return []Order{{Number: 1, Country: "at", Coupon: c}} })},
		}},
		"tasks of members": {1, []int64{3, 4, 999}, map[string]attempt{
			"a stranger's key":    {"23505", tasks(func(tag *int64) []Task { return []Task{{ID: 3, N: ptr(int32(9)), Tag: tag}} })},
			"my tenant's number":  {"23505", tasks(func(tag *int64) []Task { return []Task{{N: ptr(int32(3)), Other: tag}} })},
			"NULL":                {"23502", tasks(func(tag *int64) []Task { return []Task{{N: nil, Tag: tag}} })},
			"NULL before":         {"23502", tasks(func(tag *int64) []Task { return []Task{{}, {N: ptr(int32(9)), Tag: tag}} })},
			"what is checked":     {"23514", tasks(func(tag *int64) []Task { return []Task{{N: zero, Tag: tag}} })},
			"what is checked, up": {"23514", tasks(func(tag *int64) []Task { return []Task{{N: zero}, {N: ptr(int32(9)), Other: tag}} })},
		}},
		"steps of tasks of members": {1, []int64{3, 4, 999}, map[string]attempt{
			"a stranger's key":    {"23505", steps(func(task int64) []Step { return []Step{{ID: 2, Task: task, N: ptr(int32(9))}} })},
			"its number":          {"23505", steps(func(task int64) []Step { return []Step{{Task: task, N: one}} })},
			"its number, later":   {"23505", steps(func(task int64) []Step { return []Step{{Task: 2, N: one}, {ID: 9, Task: task, N: one}} })},
			"NULL":                {"23502", steps(func(task int64) []Step { return []Step{{Task: task}} })},
			"NULL before":         {"23502", steps(func(task int64) []Step { return []Step{{Task: 2}, {Task: task, N: one}} })},
			"what is checked":     {"23514", steps(func(task int64) []Step { return []Step{{Task: task, N: zero}} })},
			"what is checked, up": {"23514", steps(func(task int64) []Step { return []Step{{Task: 2, N: zero}, {Task: task, N: one}} })},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				ownerkit.CreateShop(t, db)
				ownerkit.MustExec(t, db, tasksDDL)
				for name, a := range c.attempts {
					ownerkit.InRolledBackTx(t, db, func(tx pgx.Tx) { require.Contains(t, a.code, code(a.insert(tx, c.own)), "%s, of one's own", name) })
					for _, to := range c.others {
						ownerkit.InRolledBackTx(t, db, func(tx pgx.Tx) {
							require.ErrorIs(t, a.insert(tx, to), owner.ErrReference, "%s, referring to %d", name, to)
						})
					}
				}
			})
		})
	}
}

// Triggers run for no row before the check, and have the same effect as for any
// insert.
func TestInsertManyWithTriggers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has had triggers only since v24.3")
		}
		ownerkit.CreateShop(t, db)
		ownerkit.MustExec(t, db, `create function fussy() returns trigger language plpgsql as 'begin
			if new.text = ''none'' then return null; end if;
			if new.text = ''fail'' then raise ''failed''; end if;
			new.text = new.text || ''!''; return new; end';
			create trigger fussy before insert on lines for each row execute function fussy();
			create function idle() returns trigger language plpgsql as 'begin return null; end';
			create trigger before before insert on lines for each statement execute function idle();
			create trigger after after insert on lines for each statement execute function idle()`)
		ctx, in := t.Context(), Lines.In(me)
		require.NoError(t, in.InsertMany(ctx, db, []Line{{OrderID: 1, N: 7, Text: "a"}, {OrderID: 2, N: 7, Text: "b"}}))
		ownerkit.RequireCount(t, db, 2, in.Where(LineText.In("a!", "b!")).Count)
		require.ErrorContains(t, in.InsertMany(ctx, db, []Line{{OrderID: 1, N: 8, Text: "none"}, {OrderID: 2, N: 8}}),
			"owner: insert into lines: the database stored 1 rows of 2; does a trigger or rule suppress some?")
		require.ErrorContains(t, in.InsertMany(ctx, db, []Line{{OrderID: 1, N: 9, Text: "fail"}}), "P0001")
		for _, text := range []string{"fail", "none"} {
			require.ErrorIs(t, in.InsertMany(ctx, db, []Line{{OrderID: 1, N: 9, Text: text}, {OrderID: bobOrder, N: 9}}), owner.ErrReference)
		}
	})
}

// Every key is checked: the one that is not the owner's is found in any position.
func TestInsertManyOfManyParents(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx := t.Context()
		orders, lines := make([]Order, 1100), make([]Line, 1100)
		for i := range orders {
			orders[i] = Order{ID: int64(i + 100), Number: int32(i + 100), Country: "at"}
			lines[i] = Line{OrderID: int64(i + 100), N: 1}
		}
		require.NoError(t, Orders.In(me).InsertMany(ctx, db, orders))
		for _, i := range []int{0, 1, 512, 1023, 1024, 1099} {
			his := append([]Line(nil), lines...)
			his[i].OrderID = bobOrder
			require.ErrorIs(t, Lines.In(me).InsertMany(ctx, db, his), owner.ErrReference, "row %d", i)
			require.ErrorIs(t, Lines.In(me).InsertMany(ctx, db, his[i/2:i+1]), owner.ErrReference, "rows up to %d", i)
		}
		require.NoError(t, Lines.In(me).InsertMany(ctx, db, lines))
		ownerkit.RequireBobsShopUnchanged(t, db)
	})
}
