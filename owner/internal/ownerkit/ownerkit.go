// Package ownerkit is what the tests of package owner and of the packages beside it
// share: tables with their declarations and rows, scopes, and databases that record
// statements.
package ownerkit

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/owner"
)

// Scope returns the scope of an owner, or panics.
func Scope[O comparable](o O) owner.Scope[O] {
	s, err := owner.For(o)
	if err != nil {
		panic(err)
	}
	return s
}

// Cursors returns cursors that are sealed with the same key each time.
func Cursors() *owner.Cursors {
	c, err := owner.NewCursors([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	return c
}

// An Execer is a database, or a transaction of it.
type Execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// MustExec runs SQL that prepares a test.
func MustExec(t testing.TB, db Execer, sql string) {
	t.Helper()
	if _, err := db.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// A Beginner is a database, or a transaction, in which Begin makes a savepoint.
type Beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// InRolledBackTx runs f in a transaction that is rolled back.
func InRolledBackTx(t testing.TB, db Beginner, f func(tx pgx.Tx)) {
	t.Helper()
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := tx.Rollback(context.Background()); err != nil {
			t.Fatal(err)
		}
	}()
	f(tx)
}
