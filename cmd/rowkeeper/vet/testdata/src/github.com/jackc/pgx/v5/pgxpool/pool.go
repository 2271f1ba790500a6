// Package pgxpool stands in for the real one.
package pgxpool

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

type Pool struct{}

func (*Pool) Begin(ctx context.Context) (pgx.Tx, error)                          { return nil, nil }
func (*Pool) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) { return nil, nil }
func (*Pool) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, nil
}
func (*Pool) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) { return nil, nil }
func (*Pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row        { return nil }
