package owner_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

// pitfalls are known mistakes of other libraries. Each test runs in a transaction of
// its own, on the shop and the accounts of ownerkit. Afterwards the other owner's rows
// must be unchanged.
var pitfalls = []struct {
	name     string
	incident string // repository#issue
	test     func(t *testing.T, db *dbtest.DB, tx *txRecorder)
}{
	{"upsert takes a row over", "chmonitor/chmonitor#2203", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		o := Order{ID: bobOrder, Number: 60, Title: "mine now", Country: "at"}
		requireNotFound(t, Orders.In(me).Upsert(t.Context(), tx, &o, OrderID))
		ownerkit.RequireBobsShopUnchanged(t, tx)
	}},
	{"upsert whose owner column is ambiguous", "ogx-ai/ogx#5930 ogx-ai/ogx#6509", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		o := Order{Number: 1, Title: "again", Country: "at"}
		require.NoError(t, Orders.In(me).Upsert(t.Context(), tx, &o, OrderNumber))
		require.EqualValues(t, 1, o.ID)
		require.Contains(t, tx.SQL, `where "orders"."user_id" = $1`)
	}},
	{"upsert does not check whose row it writes", "Hibernate#13412 hyperlocalise#340", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		for _, o := range []Order{{UserID: bob, Number: 1, Country: "at"}, {UserID: bob, ID: bobOrder, Number: 1, Country: "at"}} {
			require.ErrorIs(t, Orders.In(me).Upsert(t.Context(), tx, &o, OrderNumber), owner.ErrOtherOwner)
		}
		require.Empty(t, tx.Sent)
	}},
	{"upsert forgets what insert presets", "hasura#1647", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		for i, want := range []int64{1, 2} {
			o := Order{Number: 70, Title: "preset", Country: "at", Version: 99}
			require.NoError(t, Orders.In(me).Upsert(t.Context(), tx, &o, OrderNumber), i)
			require.Equal(t, alice, o.UserID)
			require.Equal(t, want, o.Version)
		}
		o := Order{Number: 70, Coupon: &bobCoupon, Country: "at"}
		require.ErrorIs(t, Orders.In(me).Upsert(t.Context(), tx, &o, OrderNumber), owner.ErrReference)
	}},
	{"closing the oracle opens a takeover", "icanbwell/fhir-server#2364", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		taken := Order{ID: bobOrder, Number: 60, Title: "x", Country: "at"}
		before := taken
		err := Orders.In(me).Upsert(t.Context(), tx, &taken, OrderID)
		require.EqualError(t, err, Orders.In(me).Update(missingCoupon).Set(OrderTitle.Set("x")).Exec(t.Context(), tx).Error())
		require.Equal(t, before, taken, "nothing of the stranger's row comes back")
	}},
	{"outer join made inner by the owner in WHERE", "cube-js/cube#11574 eclipselink#1185", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		rows, err := OrderCodes.In(me).OrderBy(OrderCodeID.Asc()).All(t.Context(), tx)
		require.NoError(t, err)
		a := "A"
		require.Equal(t, []OrderCode{{1, &a}, {2, nil}}, rows)
	}},
	{"outer join shows a stranger's row", "generator-graphql-rocket#25", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		ownerkit.MustExec(t, tx.Tx, "update orders set coupon_id = 12 where id = 2")
		rows, err := OrderCodes.In(me).Where(OrderCodeID.Eq(2)).All(t.Context(), tx)
		require.NoError(t, err)
		require.Equal(t, []OrderCode{{2, nil}}, rows)
	}},
	{"no condition, no scope", "JasperFx/fisher#51", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		in, all := Orders.In(me), owner.And[Order]()
		for _, q := range []owner.Select[Order, UserID]{in.Select, in.Where(), in.Where(all), in.Where(owner.Or(all, OrderID.Eq(bobOrder))), in.Where(owner.Not(OrderID.In()))} {
			ownerkit.RequireCount(t, tx, 2, q.Count)
		}
		ownerkit.RequireCount(t, tx, 2, in.UpdateWhere(all).Set(OrderTitle.Set("x")).Exec)
		ownerkit.RequireCount(t, tx, 2, in.DeleteWhere(owner.Or(all, all)).Exec)
	}},
	{"OR escapes the scope", "uptrace/bun#1321 go-gorm/gorm#3627", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		ownerkit.RequireCount(t, tx, 1, Orders.In(me).Where(owner.Or(OrderTitle.Eq("one"), OrderID.Eq(bobOrder))).Count)
	}},
	{"insert points at a stranger's row", "kenlasko/monize#100", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		for _, coupon := range []int64{bobCoupon, missingCoupon} {
			err := Orders.In(me).Insert(t.Context(), tx, &Order{Number: 9, Coupon: &coupon, Country: "at"})
			require.EqualError(t, err, "owner: a reference points at no row of the owner's (table orders)")
		}
	}},
	{"update points at a stranger's row", "bxservice/idempiere-rest#42", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		in := Orders.In(me)
		require.ErrorIs(t, in.Update(2).Set(OrderCoupon.Set(&bobCoupon)).Exec(t.Context(), tx), owner.ErrReference)
		_, err := in.UpdateWhere(OrderID.Eq(2)).Set(OrderCoupon.Set(&bobCoupon)).Exec(t.Context(), tx)
		require.ErrorIs(t, err, owner.ErrReference)
		o, err := in.Get(t.Context(), tx, 2)
		require.NoError(t, err)
		require.Nil(t, o.Coupon)
	}},
	{"child goes under a stranger's parent", "iota-uz/iota-sdk#781 fullstaq-labs/sqedule", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		in := Lines.In(me)
		require.ErrorIs(t, in.Insert(t.Context(), tx, &Line{OrderID: bobOrder, N: 9}), owner.ErrReference)
		ownerkit.InRolledBackTx(t, tx, func(tx pgx.Tx) {
			require.ErrorIs(t, in.InsertMany(t.Context(), tx, []Line{{OrderID: 1, N: 9}, {OrderID: bobOrder, N: 9}}), owner.ErrReference)
		})
		require.ErrorIs(t, in.Upsert(t.Context(), tx, &Line{OrderID: bobOrder, N: 1}, LineOrder, LineN), owner.ErrReference)
	}},
	// Scopes are in the statements, so a connection carries nothing over.
	{"the connection carries the owner over", "jackc/pgx#288 jackc/pgx#2007", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		const state = "select coalesce(string_agg(name || '=' || setting, ',' order by name), '') from pg_settings"
		var before, after string
		require.NoError(t, tx.QueryRow(t.Context(), state).Scan(&before))
		for range 2 {
			for _, s := range []owner.Scope[UserID]{me, other} {
				o, err := Orders.In(s).Where(OrderNumber.Eq(1)).One(t.Context(), tx)
				require.NoError(t, err)
				require.Equal(t, s.Owner(), o.UserID)
			}
		}
		require.NoError(t, Orders.In(me).Update(1).Set(OrderTitle.Set("x")).Exec(t.Context(), tx))
		require.NoError(t, tx.QueryRow(t.Context(), state).Scan(&after))
		require.Equal(t, before, after)
		for _, sql := range tx.Sent {
			require.Regexp(t, "^(select|update) ", sql)
			require.NotContains(t, sql, "current_setting")
			require.NotContains(t, sql, "set_config")
		}
	}},
	{"a fresh connection misses the hook", "rubentalstra/FerroEHR#110", func(t *testing.T, db *dbtest.DB, _ *txRecorder) {
		pool, err := pgxpool.NewWithConfig(t.Context(), db.Config())
		require.NoError(t, err)
		defer pool.Close()
		ownerkit.RequireCount(t, pool, 2, Orders.In(me).Count)
	}},
	{"a pooled object keeps the last owner", "nightscout/nocturne#333", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		mine := Orders.In(me).Where(OrderNumber.Eq(1))
		his := Orders.In(other).Where(OrderNumber.Eq(1))
		ctx := owner.NewContext(owner.NewContext(t.Context(), me), other)
		last, err := owner.FromContext[UserID](ctx)
		require.NoError(t, err)
		require.Equal(t, bob, last.Owner())
		for range 2 {
			for want, q := range map[UserID]owner.Select[Order, UserID]{alice: mine, bob: his} {
				o, err := q.One(ctx, tx)
				require.NoError(t, err)
				require.Equal(t, want, o.UserID)
			}
		}
	}},
	{"the all-zero owner", "rubentalstra/FerroEHR#3341", func(t *testing.T, _ *dbtest.DB, _ *txRecorder) {
		_, err := owner.For(uuid{})
		require.ErrorIs(t, err, owner.ErrUnscoped)
		_, err = owner.For("00000000-0000-0000-0000-000000000000")
		require.ErrorIs(t, err, owner.ErrUnscoped)
		_, err = owner.For(UserID(0))
		require.ErrorIs(t, err, owner.ErrUnscoped)
	}},
	{"the owner that is nil", "Dev1822/paySphere#1917", func(t *testing.T, _ *dbtest.DB, _ *txRecorder) {
		_, err := owner.For((*UserID)(nil))
		require.ErrorIs(t, err, owner.ErrUnscoped)
		_, err = owner.For[any](nil)
		require.ErrorIs(t, err, owner.ErrUnscoped)
		_, err = owner.FromContext[UserID](t.Context())
		require.ErrorIs(t, err, owner.ErrUnscoped)
	}},
	{"a special owner that means everybody", "OreStudio#411", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		for _, id := range []UserID{-1, 1<<63 - 1, -1 << 63} {
			ownerkit.RequireCount(t, tx, 0, Orders.In(ownerkit.Scope(id)).Count)
		}
	}},
	{"no owner means an administrator", "open-mercato#4590", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		ctx, in, all := t.Context(), Orders.In(owner.Scope[UserID]{}), owner.And[Order]()
		o := Order{ID: bobOrder, Number: 1, Country: "at"}
		key := bobOrder
		for name, f := range map[string]func() error{
			"Get":         func() error { _, err := in.Get(ctx, tx, key); return err },
			"One":         func() error { _, err := in.One(ctx, tx); return err },
			"All":         func() error { _, err := in.All(ctx, tx); return err },
			"Count":       func() error { _, err := in.Count(ctx, tx); return err },
			"Exists":      func() error { _, err := in.Exists(ctx, tx); return err },
			"Page":        func() error { _, err := in.Page(ctx, tx, sealed, "", 5); return err },
			"Rows":        func() (err error) { in.Rows(ctx, tx)(func(_ Order, e error) bool { err = e; return false }); return },
			"Sum":         func() error { _, err := OrderTotal.Sum(ctx, tx, in); return err },
			"View":        func() error { _, err := OrderCodes.Of(in.Select).All(ctx, tx); return err },
			"Insert":      func() error { return in.Insert(ctx, tx, &o) },
			"InsertMany":  func() error { return in.InsertMany(ctx, tx, []Order{o}) },
			"Upsert":      func() error { return in.Upsert(ctx, tx, &o, OrderNumber) },
			"Update":      func() error { return in.Update(key).Set(OrderTitle.Set("x")).Exec(ctx, tx) },
			"Returning":   func() error { _, err := in.Update(key).Set(OrderTitle.Set("x")).Returning(ctx, tx); return err },
			"UpdateWhere": func() error { _, err := in.UpdateWhere(all).Set(OrderTitle.Set("x")).Exec(ctx, tx); return err },
			"Delete":      func() error { return in.Delete(key).Exec(ctx, tx) },
			"DeleteAt":    func() error { return in.Delete(key).At(1).Exec(ctx, tx) },
			"DeleteWhere": func() error { _, err := in.DeleteWhere(all).Exec(ctx, tx); return err },
			"TransferTo":  func() error { return in.TransferTo(ctx, tx, me, key) },
			"to nobody":   func() error { return Orders.In(me).TransferTo(ctx, tx, owner.Scope[UserID]{}, 1) },
			"QueueInsert": func() error { return in.QueueInsert(&queue{}, &o) },
			"Queue":       func() error { return in.Update(key).Set(OrderTitle.Set("x")).Queue(&queue{}) },
			"QueueDelete": func() error { return in.Delete(key).Queue(&queue{}) },
			"Lines":       func() error { _, err := Lines.In(owner.Scope[UserID]{}).All(ctx, tx); return err },
		} {
			require.ErrorIs(t, f(), owner.ErrUnscoped, name)
		}
		require.Empty(t, tx.Sent)
	}},
	{"a zero key means all rows", "go-gorm/gorm#1970", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		requireNotFound(t, Orders.In(me).Delete(0).Exec(t.Context(), tx))
		require.ErrorContains(t, Orders.In(me).Delete().Exec(t.Context(), tx), "0 values were given")
		ownerkit.RequireCount(t, tx, 0, Orders.In(me).Where(OrderID.In()).Count)
		_, err := Orders.In(me).Where(OrderID.NotIn()).Count(t.Context(), tx)
		require.ErrorContains(t, err, "NotIn needs at least one value")
	}},
	{"foreign and missing differ", "paperclip#3967 open-mercato#1428", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		ctx, in := t.Context(), Orders.In(me)
		for name, f := range map[string]func(id int64) error{
			"Get":        func(id int64) error { _, err := in.Get(ctx, tx, id); return err },
			"One":        func(id int64) error { _, err := in.Where(OrderID.Eq(id)).One(ctx, tx); return err },
			"Max":        func(id int64) error { _, err := OrderTotal.Max(ctx, tx, in.Where(OrderID.Eq(id))); return err },
			"Update":     func(id int64) error { return in.Update(id).Set(OrderTitle.Set("x")).Exec(ctx, tx) },
			"At":         func(id int64) error { return in.Update(id).At(1).Set(OrderTitle.Set("x")).Exec(ctx, tx) },
			"stale":      func(id int64) error { return in.Update(id).At(7).Set(OrderTitle.Set("x")).Exec(ctx, tx) },
			"to foreign": func(id int64) error { return in.Update(id).Set(OrderCoupon.Set(&bobCoupon)).Exec(ctx, tx) },
			"Delete":     func(id int64) error { return in.Delete(id).Exec(ctx, tx) },
			"DeleteAt":   func(id int64) error { return in.Delete(id).At(7).Exec(ctx, tx) },
			"TransferTo": func(id int64) error { return in.TransferTo(ctx, tx, other, id) },
			"line":       func(id int64) error { return Lines.In(me).Update(id, 1).Set(LineText.Set("x")).Exec(ctx, tx) },
		} {
			tx.Sent = nil
			foreign, sent := f(bobOrder), tx.Sent
			tx.Sent = nil
			missing := f(999)
			requireNotFound(t, foreign, name)
			require.EqualError(t, foreign, missing.Error(), name)
			require.Equal(t, sent, tx.Sent, "%s: the statements would tell by their number", name)
		}
		for _, coupon := range []int64{bobCoupon, missingCoupon} {
			err := in.Insert(ctx, tx, &Order{Number: 9, Coupon: &coupon, Country: "at"})
			require.EqualError(t, err, "owner: a reference points at no row of the owner's (table orders)")
		}
	}},
	{"a cursor is good for another endpoint or account", "Mnexa-AI/e2a#782", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		ctx, q := t.Context(), Orders.In(me).Where(OrderTotal.Ge(100)).OrderBy(OrderCountry.Asc())
		ownerkit.MustExec(t, tx.Tx, "insert into orders values (4, 43, 4, 'his', 300, '', null, 'at', 1)")
		page, err := q.Page(ctx, tx, sealed, "", 1)
		require.NoError(t, err)
		require.NotEmpty(t, page.Next)
		_, err = q.Page(ctx, tx, sealed, page.Next, 1)
		require.NoError(t, err)
		tx.Sent = nil
		for name, q := range map[string]owner.Select[Order, UserID]{
			"owner":     Orders.In(other).Where(OrderTotal.Ge(100)).OrderBy(OrderCountry.Asc()),
			"order":     Orders.In(me).Where(OrderTotal.Ge(100)).OrderBy(OrderTitle.Asc()),
			"direction": Orders.In(me).Where(OrderTotal.Ge(100)).OrderBy(OrderCountry.Desc()),
			"value":     Orders.In(me).Where(OrderTotal.Ge(101)).OrderBy(OrderCountry.Asc()),
			"operator":  Orders.In(me).Where(OrderTotal.Gt(100)).OrderBy(OrderCountry.Asc()),
			"filter":    Orders.In(me).OrderBy(OrderCountry.Asc()),
		} {
			_, err := q.Page(ctx, tx, sealed, page.Next, 1)
			require.ErrorIs(t, err, owner.ErrCursor, name)
		}
		_, err = OrderPlaces.Of(Orders.In(me).Where(OrderTotal.Ge(100))).OrderBy(PlaceCountry.Asc()).Page(ctx, tx, sealed, page.Next, 1)
		require.ErrorIs(t, err, owner.ErrCursor, "another view")
		require.Empty(t, tx.Sent)
	}},
	{"a cursor of milliseconds loses rows", "ahliweb/awcms#161", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		ctx, at := t.Context(), time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		for i := range 5 {
			require.NoError(t, Accounts.In(me).Insert(ctx, tx, &Account{Name: "page", Created: at.Add(time.Duration(5-i) * time.Microsecond)}))
		}
		q, cursor := Accounts.In(me).Where(Name.Eq("page")).OrderBy(Created.Asc()), ""
		for i := range 5 {
			page, err := q.Page(ctx, tx, sealed, cursor, 1)
			require.NoError(t, err)
			require.Len(t, page.Rows, 1)
			require.True(t, page.Rows[0].Created.Equal(at.Add(time.Duration(i+1)*time.Microsecond)))
			cursor = page.Next
		}
		require.Empty(t, cursor)
	}},
	{"LIKE takes the input for a pattern", "leodip/goiabada#95 huandu/go-sqlbuilder#199", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		ctx, in := t.Context(), Accounts.In(me)
		require.NoError(t, in.Insert(ctx, tx, &Account{Name: `50%_\!off`}))
		for text, want := range map[string]int64{"%": 1, "_": 1, `\`: 1, "!": 1, `%_\!`: 1, "s_v": 0, "sav": 1, "s%s": 0} {
			ownerkit.RequireCount(t, tx, want, in.Where(Name.Contains(text)).Count, text)
		}
	}},
	{"a client writes what it may not", "gobuffalo/buffalo#1739", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		for _, body := range []string{`{"user_id": 43}`, `{"total": 1}`, `{"version": 1}`, `{"secret": "x"}`, `{"ID": 3}`, `{"admin": true}`, `{"title": "x", "total": 1}`} {
			var members map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(body), &members))
			set, err := Orders.Patch(members)
			var refused *owner.PatchError
			require.ErrorAs(t, err, &refused, body)
			require.Empty(t, set)
		}
		require.ErrorContains(t, Accounts.In(me).Update(1).Set(Owner.Set(bob)).Exec(t.Context(), tx), "cannot change the owner")
		require.ErrorIs(t, Accounts.In(me).Insert(t.Context(), tx, &Account{UserID: bob}), owner.ErrOtherOwner)
		require.Empty(t, tx.Sent)
	}},
	{"a bypass that leaves no trace", "prebid/salesagent#2204", func(t *testing.T, _ *dbtest.DB, _ *txRecorder) {
		// Nothing here bypasses the scope: every function with a database has one.
		scoped := map[string]bool{"Scoped": true, "Select": true, "Update": true, "Delete": true, "UpdateWhere": true, "DeleteWhere": true, "Reader": true}
		files, err := filepath.Glob("*.go")
		require.NoError(t, err)
		found := 0
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			require.NoError(t, err)
			for _, d := range parsed.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok || !f.Name.IsExported() {
					continue
				}
				require.NotRegexp(t, regexp.MustCompile("(?i)unscoped|bypass|skip|across|raw|unsafe|admin|everyone"), f.Name.Name)
				types, takesDB := []string{}, false
				for _, field := range f.Type.Params.List {
					types = append(types, baseName(field.Type))
					takesDB = takesDB || baseName(field.Type) == "DB"
				}
				if !takesDB {
					continue
				}
				found++
				if f.Recv != nil {
					types = append(types, baseName(f.Recv.List[0].Type))
				}
				has := false
				for _, name := range types {
					has = has || scoped[name]
				}
				require.True(t, has, "%s takes a database and no scope", f.Name.Name)
			}
		}
		require.Greater(t, found, 15)
	}},
	{"denials that nobody can log", "matrixarkai/TemporalStore#790", func(t *testing.T, _ *dbtest.DB, tx *txRecorder) {
		o := Order{UserID: bob, Number: 9, Country: "at"}
		for want, err := range map[error]error{
			owner.ErrOtherOwner: Orders.In(me).Insert(t.Context(), tx, &o),
			owner.ErrNotFound:   Orders.In(me).Delete(bobOrder).Exec(t.Context(), tx),
			owner.ErrReference:  Orders.In(me).Update(1).Set(OrderCoupon.Set(&bobCoupon)).Exec(t.Context(), tx),
			owner.ErrUnscoped:   Orders.In(owner.Scope[UserID]{}).Delete(1).Exec(t.Context(), tx),
		} {
			require.ErrorIs(t, err, want)
			require.ErrorContains(t, err, "orders", "the log needs the table")
		}
		_, err := Orders.In(me).Page(t.Context(), tx, sealed, "forged", 5)
		require.ErrorIs(t, err, owner.ErrCursor)
	}},
}

func TestPitfalls(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ownerkit.CreateAccounts(t, db)
		for _, p := range pitfalls {
			t.Run(p.name, func(t *testing.T) {
				t.Logf("see %s", p.incident)
				ownerkit.InRolledBackTx(t, db, func(tx pgx.Tx) {
					p.test(t, db, &txRecorder{Tx: tx})
					ownerkit.RequireBobsAccountsUnchanged(t, tx)
					ownerkit.RequireRows(t, tx, 1, "orders where (id, user_id, title, coupon_id, version) = (3, 43, 'his', 12, 1)")
				})
			})
		}
	})
}

// baseName is the name of a type without pointer, package and type arguments.
func baseName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return baseName(e.X)
	case *ast.IndexExpr:
		return baseName(e.X)
	case *ast.IndexListExpr:
		return baseName(e.X)
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
