package txn

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Tx is the transaction that a function is run in. It is a [pgx.Tx], so code
// that takes one takes it: sqlc's WithTx, pgx.CollectRows, helpers of your own.
//
// Like a pgx.Tx it is for one goroutine at a time. It belongs to the call that
// runs the function: Commit and Rollback are errors, and nothing works on it
// after the function has returned. A Tx from [Tx.Begin] is a savepoint, which
// whoever began it commits or rolls back.
type Tx struct {
	inner     pgx.Tx
	at        *attempt
	savepoint bool
	closed    bool
}

var _ pgx.Tx = (*Tx)(nil)

var errNotYours = errors.New("the transaction belongs to the call that runs the function: return nil to commit it, an error to roll it back")

// Attempt counts the runs of the function in this call, from 1.
func (tx *Tx) Attempt() int { return tx.at.number }

func (tx *Tx) usable() error {
	if tx.closed || tx.at.over {
		return pgx.ErrTxClosed
	}
	if tx.at.ended != "" {
		return fmt.Errorf("txn: %w", tx.at.misuse())
	}
	return nil
}

// Begin makes a savepoint. Its Commit releases it, its Rollback undoes what
// came after it. A conflict cannot be undone so: let it reach the call that
// began the transaction, which alone can run it again.
func (tx *Tx) Begin(ctx context.Context) (pgx.Tx, error) {
	sp, err := tx.begin(ctx)
	if err != nil {
		return nil, err
	}
	return sp, nil
}

func (tx *Tx) begin(ctx context.Context) (*Tx, error) {
	if err := tx.usable(); err != nil {
		return nil, err
	}
	inner, err := tx.inner.Begin(ctx)
	tx.at.observe("", err)
	if err != nil {
		return nil, err
	}
	return &Tx{inner: inner, at: tx.at, savepoint: true}, nil
}

// Commit releases a savepoint. On the transaction itself it is an error: the
// function returns nil instead.
func (tx *Tx) Commit(ctx context.Context) error {
	return tx.end(ctx, pgx.Tx.Commit)
}

// Rollback goes back to a savepoint. On the transaction itself it is an error:
// the function returns an error instead. It sends nothing then, so a deferred
// Rollback in existing code does no harm.
func (tx *Tx) Rollback(ctx context.Context) error {
	return tx.end(ctx, func(inner pgx.Tx, ctx context.Context) error {
		err := inner.Rollback(ctx)
		if err == nil {
			tx.at.first = nil
		}
		return err
	})
}

func (tx *Tx) end(ctx context.Context, how func(pgx.Tx, context.Context) error) error {
	if err := tx.usable(); err != nil {
		return err
	}
	if !tx.savepoint {
		return fmt.Errorf("txn: %w", errNotYours)
	}
	tx.closed = true
	err := how(tx.inner, ctx)
	tx.at.observe("", err)
	return err
}

// Exec sends a statement and waits for its result.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := tx.usable(); err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := tx.inner.Exec(ctx, sql, args...)
	seen := tag.String()
	if seen == "BEGIN" && !strings.Contains(strings.TrimRight(sql, "; \t\r\n"), ";") {
		seen = "" // by itself it changes nothing
	}
	tx.at.observe(seen, err)
	return tag, err
}

// Query sends a statement that returns rows. Rows that are still open when the
// function returns are closed.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	r := tx.query(ctx, sql, args)
	return r, r.Err()
}

func (tx *Tx) query(ctx context.Context, sql string, args []any) pgx.Rows {
	if err := tx.usable(); err != nil {
		return failedRows{err}
	}
	inner, err := tx.inner.Query(ctx, sql, args...)
	if err != nil {
		tx.at.observe("", err)
		if inner == nil {
			return failedRows{err}
		}
		return inner
	}
	r := &rows{Rows: inner, at: tx.at}
	tx.at.opened(r)
	return r
}

// QueryRow sends a statement that returns at most one row. Scan gives
// pgx.ErrNoRows where there is none.
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return row{tx.query(ctx, sql, args)}
}

// SendBatch sends the queries of b in one round trip. What its callbacks are
// given is provisional until the transaction has been committed. They do not run
// for a batch that the function leaves open.
//
// When one result cannot be scanned, pgx drops the errors of the later ones: a
// conflict among them rolls back, but is not seen and so not retried.
func (tx *Tx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := tx.usable(); err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	r := &batchResults{at: tx.at}
	r.BatchResults = tx.inner.SendBatch(ctx, r.watch(b))
	tx.at.opened(r)
	return r
}

// CopyFrom copies rows into a table with the COPY protocol.
func (tx *Tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error) {
	if err := tx.usable(); err != nil {
		return 0, err
	}
	n, err := tx.inner.CopyFrom(ctx, table, columns, src)
	tx.at.observe("", err)
	return n, err
}

// Prepare makes a prepared statement on the transaction's connection.
func (tx *Tx) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	if err := tx.usable(); err != nil {
		return nil, err
	}
	sd, err := tx.inner.Prepare(ctx, name, sql)
	tx.at.observe("", err)
	return sd, err
}

// LargeObjects gives access to large objects, which only PostgreSQL has.
func (tx *Tx) LargeObjects() pgx.LargeObjects {
	if tx.usable() != nil {
		return closedTx().LargeObjects()
	}
	tx.at.largeObjects = true
	return tx.inner.LargeObjects()
}

// closedTx is a transaction of pgx's whose methods return pgx.ErrTxClosed.
func closedTx() pgx.Tx {
	var b pgx.Batch
	b.BeginTx(pgx.TxOptions{})
	results := pgx.FailedBatchResults(&b, pgx.ErrTxClosed)
	_ = results.Close() // the error it was given
	return results.Tx()
}

// Conn is the connection of the transaction, for what a Tx does not offer. What
// is sent on it past the Tx is not seen by the rules for retrying.
func (tx *Tx) Conn() *pgx.Conn { return tx.inner.Conn() }
