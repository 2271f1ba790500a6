package txntest

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// tx is a transaction, or a savepoint in it, that may meet a fault. Methods that it
// does not override do not count as statements.
type tx struct {
	pgx.Tx
	e         *encounter
	savepoint bool
}

func (t *tx) Begin(ctx context.Context) (pgx.Tx, error) {
	sp, err := t.Tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &tx{Tx: sp, e: t.e, savepoint: true}, nil
}

func (t *tx) Commit(ctx context.Context) error {
	if t.savepoint {
		return t.Tx.Commit(ctx)
	}
	return t.e.commit(ctx, t.Tx)
}

func (t *tx) Rollback(ctx context.Context) error {
	if t.savepoint {
		return t.Tx.Rollback(ctx)
	}
	return t.e.rollback(ctx, t.Tx)
}

func (t *tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if t.e.count(1) > 0 {
		return pgconn.CommandTag{}, t.e.fail(ctx, t.Tx)
	}
	return t.Tx.Exec(ctx, sql, args...)
}

// Query returns the conflict from the rows, as pgx learns of it when it reads them.
func (t *tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if t.e.count(1) > 0 {
		return failedRows{t.e.fail(ctx, t.Tx), t.Tx.Conn()}, nil
	}
	return t.Tx.Query(ctx, sql, args...)
}

func (t *tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if t.e.count(1) > 0 {
		return failedRows{t.e.fail(ctx, t.Tx), t.Tx.Conn()}
	}
	return t.Tx.QueryRow(ctx, sql, args...)
}

func (t *tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error) {
	if t.e.count(1) > 0 {
		return 0, t.e.fail(ctx, t.Tx)
	}
	return t.Tx.CopyFrom(ctx, table, columns, src)
}

func (t *tx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	at := t.e.count(b.Len())
	if at == 0 {
		return t.Tx.SendBatch(ctx, b)
	}
	return sendUntil(ctx, t, b, at)
}
