package owner

import (
	"context"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// DB is what runs a statement: a *pgxpool.Pool, a *pgx.Conn, a pgx.Tx or a
// *txn.Tx.
type DB interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// check is what every statement checks first.
func check(t *table, id identity, db DB) error {
	if err := checkScope(t, id); err != nil {
		return err
	}
	if v := reflect.ValueOf(db); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return misuse("the database is nil")
	}
	return nil
}

func checkScope(t *table, id identity) error {
	switch {
	case t == nil:
		return misuse("the table was not made by MustTable or NewTable")
	case id.n == 0 && !t.shared:
		return fmt.Errorf("%w: the scope was not made by owner.For (table %s)", ErrUnscoped, t.name)
	}
	if !t.used.Load() { // a store each time would keep the other cores waiting
		t.used.Store(true)
	}
	return nil
}
