package owner

import (
	"context"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// DB runs statements: a *pgxpool.Pool, a *pgx.Conn, a pgx.Tx or a *txn.Tx.
//
// Nothing is cached between calls and nothing is set on the connection. A statement
// is one round trip on a connection that has prepared it. An update or delete that
// changed nothing sends a second statement if there are several reasons to tell
// apart. Code that reads a row and writes what depends on it needs a SERIALIZABLE
// transaction or [Select.ForUpdate]; [ColumnOf.Add] and versions need neither.
type DB interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// check performs the checks that all statements share.
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
		return misuse("the table was not made by MustTable")
	case id.n == 0 && !t.shared:
		return fmt.Errorf("%w: the scope was not made by owner.For (table %s)", ErrUnscoped, t.name)
	}
	return t.complete()
}
