package txntest

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// cutBatch is a batch in which one query meets the conflict: the queries before it have
// been sent, that query fails when its result is read, and no later query runs.
type cutBatch struct {
	pgx.BatchResults // of the queries before it; nil if none
	ctx              context.Context
	tx               *tx
	queries          []*pgx.QueuedQuery
	before           int
	read             int
	err              error // of the batch, which it keeps as pgx does
}

func sendUntil(ctx context.Context, t *tx, b *pgx.Batch, at int) *cutBatch {
	r := &cutBatch{ctx: ctx, tx: t, queries: b.QueuedQueries, before: at - 1}
	if r.before > 0 {
		sent := *b
		sent.QueuedQueries = b.QueuedQueries[:r.before:r.before]
		r.BatchResults = t.Tx.SendBatch(ctx, &sent)
	}
	return r
}

// next reports whether the next result is a real one.
func (r *cutBatch) next() bool {
	r.read++
	return r.err == nil && r.read <= r.before
}

// end finishes the queries that were sent, which runs their remaining callbacks, and
// then makes the next query fail.
func (r *cutBatch) end() (failed bool) {
	if r.err != nil {
		return false
	}
	if r.before > 0 {
		r.err = r.BatchResults.Close()
	}
	if r.err != nil {
		return false
	}
	r.err = r.tx.e.fail(r.ctx, r.tx.Tx)
	return true
}

func (r *cutBatch) Exec() (pgconn.CommandTag, error) {
	if r.next() {
		return r.BatchResults.Exec()
	}
	r.end()
	return pgconn.CommandTag{}, r.err
}

func (r *cutBatch) Query() (pgx.Rows, error) {
	if r.next() {
		return r.BatchResults.Query()
	}
	r.end()
	return failedRows{r.err, r.tx.Conn()}, r.err
}

func (r *cutBatch) QueryRow() pgx.Row {
	if r.next() {
		return r.BatchResults.QueryRow()
	}
	r.end()
	return failedRows{r.err, r.tx.Conn()}
}

// Close passes the error to the callback of the failing query. The batch has failed
// whatever the callback returns.
func (r *cutBatch) Close() error {
	if r.end() {
		if fn := r.queries[r.before].Fn; fn != nil {
			_ = fn(r)
		}
	}
	return r.err
}

func (*cutBatch) Tx() pgx.Tx { return nil }

// failedRows are the rows, or the row, of a statement that failed.
type failedRows struct {
	err  error
	conn *pgx.Conn
}

func (failedRows) Close()                                       {}
func (r failedRows) Err() error                                 { return r.err }
func (failedRows) CommandTag() pgconn.CommandTag                { return pgconn.CommandTag{} }
func (failedRows) FieldDescriptions() []pgconn.FieldDescription { return nil }
func (failedRows) Next() bool                                   { return false }
func (r failedRows) Scan(...any) error                          { return r.err }
func (r failedRows) Values() ([]any, error)                     { return nil, r.err }
func (failedRows) RawValues() [][]byte                          { return nil }
func (r failedRows) Conn() *pgx.Conn                            { return r.conn }
func (r failedRows) TypeMap() *pgtype.Map {
	if r.conn == nil {
		return nil
	}
	return r.conn.TypeMap()
}
