package ownerkit

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrRecorded is the error of a statement that was recorded and not run.
var ErrRecorded = errors.New("recorded")

// A Recorder is a database that records statements and runs none.
type Recorder struct {
	SQL  string // the last statement, or ""
	Args []any
	Sent []string // all statements
}

// Query records a statement.
func (r *Recorder) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	r.record(sql, args)
	return nil, ErrRecorded
}

// Exec records a statement.
func (r *Recorder) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	r.record(sql, args)
	return pgconn.CommandTag{}, ErrRecorded
}

func (r *Recorder) record(sql string, args []any) {
	r.SQL, r.Args, r.Sent = sql, args, append(r.Sent, sql)
}

// A TxRecorder is a [Recorder] that passes for a transaction. If Tx is not nil, it
// also runs the statements there.
type TxRecorder struct {
	pgx.Tx
	Recorder
}

// Query records a statement.
func (r *TxRecorder) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if r.Tx == nil {
		return r.Recorder.Query(ctx, sql, args...)
	}
	r.record(sql, args)
	return r.Tx.Query(ctx, sql, args...)
}

// Exec records a statement.
func (r *TxRecorder) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if r.Tx == nil {
		return r.Recorder.Exec(ctx, sql, args...)
	}
	r.record(sql, args)
	return r.Tx.Exec(ctx, sql, args...)
}
