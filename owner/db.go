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
func check[O comparable](t *table, scope Scope[O], db DB) error {
	if t == nil {
		return misuse("the table was not made by MustTable or NewTable")
	}
	if err := scope.check(); err != nil {
		return fmt.Errorf("%w (table %s)", err, t.name)
	}
	if v := reflect.ValueOf(db); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return misuse("the database is nil")
	}
	return nil
}
