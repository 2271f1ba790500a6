package ownerkit

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
)

// A Querier is a database, or a transaction of it.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// RequireRows fails unless there are that many of the rows, which follow FROM.
func RequireRows(t testing.TB, db Querier, want int, rows string) {
	t.Helper()
	var got int
	if err := db.QueryRow(t.Context(), `select count(*) from `+rows).Scan(&got); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("%d rows instead of %d: %s", got, want, rows)
	}
}

// RequireBobsAccountsUnchanged fails if one of the accounts of Bob has changed or is
// gone.
func RequireBobsAccountsUnchanged(t testing.TB, db Querier) {
	t.Helper()
	RequireRows(t, db, 2, `accounts where (id, user_id, name, balance) in ((3, 43, 'savings', 100), (4, 43, 'checking', 200))`)
}

// RequireBobsShopUnchanged fails if a row of Bob in the tables of a [Shop] has
// changed, is gone, or is not alone.
func RequireBobsShopUnchanged(t testing.TB, db Querier) {
	t.Helper()
	for _, rows := range []string{
		`orders where user_id = 43`,
		`orders where (id, user_id, number, title, total, secret, coupon_id, country, version) = (3, 43, 1, 'his', 300, 's3', 12, 'at', 1)`,
		`lines where order_id = 3`,
		`lines where (order_id, n, text, price) = (3, 1, 'axe', 300)`,
		`coupons where (id, user_id, code) = (12, 43, 'B')`,
	} {
		RequireRows(t, db, 1, rows)
	}
}

// RequireCount fails unless count returns want. It is a method value of a statement:
// Count, or Exec, which counts the rows that it changed.
func RequireCount(t testing.TB, db owner.DB, want int64, count func(context.Context, owner.DB) (int64, error), what ...any) {
	t.Helper()
	requireResult(t, db, want, count, what)
}

// RequireExists fails unless exists, a method value of a select, returns want.
func RequireExists(t testing.TB, db owner.DB, want bool, exists func(context.Context, owner.DB) (bool, error), what ...any) {
	t.Helper()
	requireResult(t, db, want, exists, what)
}

func requireResult[V comparable](t testing.TB, db owner.DB, want V, result func(context.Context, owner.DB) (V, error), what []any) {
	t.Helper()
	got, err := result(t.Context(), db)
	if err != nil {
		t.Fatal(fmt.Sprint(what...), err)
	}
	if got != want {
		t.Fatal(fmt.Sprint(what...), got, "instead of", want)
	}
}
