// Package txn stands in for the real one.
package txn

import (
	"context"

	"github.com/jackc/pgx/v5"
)

type DB interface {
	Begin(context.Context) (pgx.Tx, error)
}

type Tx struct{ pgx.Tx }

func (*Tx) OnCommit(fn func(ctx context.Context)) {}
func (*Tx) Queue(sql string, args ...any)         {}

type Option interface{}

func Run(ctx context.Context, db DB, fn func(ctx context.Context, tx *Tx) error, opts ...Option) error {
	return nil
}

func RunInTx[T any](ctx context.Context, db DB, fn func(ctx context.Context, tx *Tx) (T, error), opts ...Option) (T, error) {
	var v T
	return v, nil
}
