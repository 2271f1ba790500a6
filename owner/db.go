package owner

import (
	"context"

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
