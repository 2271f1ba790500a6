package txn

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Tx is the transaction that a function is run in. It is a [pgx.Tx], so code
// that takes one takes it: sqlc's WithTx, pgx.CollectRows, helpers of your own.
//
// Like a pgx.Tx it is for one goroutine at a time: a statement is refused while
// another goroutine waits for one, or has rows open. It belongs to the call that
// runs the function: Commit and Rollback are errors, and so is text that begins or
// ends a transaction, after which the call does not commit. Nothing works on it
// after the function has returned. A goroutine that is still in the middle of a
// statement then is interrupted, and the transaction is rolled back. A Tx from
// [Tx.Begin] is a savepoint, which whoever began it commits or rolls back.
type Tx struct {
	at        *attempt
	share     *share
	savepoint *savepoint // nil: the transaction itself, or a joined call's share of it
	closed    atomic.Bool
}

var _ pgx.Tx = (*Tx)(nil)

// Attempt counts the runs of the function in this call, from 1.
func (tx *Tx) Attempt() int { return tx.at.number }

// enter lets this goroutine use the transaction, until it calls leave.
func (tx *Tx) enter() error {
	if err := tx.at.gate.enter(); err != nil {
		return err
	}
	if err := tx.usable(); err != nil {
		tx.leave()
		return err
	}
	return nil
}

// enterFor is enter for a text, which must not begin or end the transaction.
func (tx *Tx) enterFor(sql string) error {
	if err := tx.enter(); err != nil {
		return err
	}
	if err := tx.share.admit(sql); err != nil {
		tx.leave()
		return err
	}
	return nil
}

func (tx *Tx) leave() { tx.at.gate.leave() }

// usable reports why nothing can be done on tx, to whoever is inside its gate.
func (tx *Tx) usable() error {
	if err := tx.alive(); err != nil {
		return err
	}
	return tx.share.refused()
}

func (tx *Tx) alive() error {
	if tx.closed.Load() {
		return pgx.ErrTxClosed
	}
	tx.at.look()
	switch {
	case tx.at.ended != "":
		return fmt.Errorf("txn: %w", tx.at.misuse())
	}
	return tx.at.broken
}

// Begin makes a savepoint. Its Commit releases it, its Rollback undoes what
// came after it. A conflict cannot be undone so: let it reach the call that
// began the transaction, which alone can run it again. SAVEPOINT and RELEASE
// travel with other statements where they can, like what is queued.
func (tx *Tx) Begin(ctx context.Context) (pgx.Tx, error) {
	if err := tx.enter(); err != nil {
		return nil, err
	}
	defer tx.leave()
	sp, err := tx.begin(ctx)
	if err != nil {
		return nil, err
	}
	return sp, nil
}

func (tx *Tx) begin(ctx context.Context) (*Tx, error) {
	sp, err := tx.at.mark(ctx)
	if err != nil {
		return nil, err
	}
	return &Tx{at: tx.at, share: tx.share, savepoint: sp}, nil
}

// Commit releases a savepoint. Where it fails, because a statement since had, or
// one that was queued, Rollback still undoes what came after the savepoint, and the
// transaction goes on. On the transaction itself it is an error: the
// function returns nil instead. Nothing is sent then, nothing can be sent any
// more, and the call does not commit.
func (tx *Tx) Commit(ctx context.Context) error {
	if tx.savepoint == nil {
		return tx.refuse("called Commit")
	}
	if err := tx.enter(); err != nil {
		return err
	}
	defer tx.leave()
	err := tx.end(ctx, (*attempt).releaseMark)
	tx.savepoint.kept = err != nil
	return err
}

// Rollback goes back to a savepoint. On the transaction itself it is an error:
// the function returns an error instead. Nothing is sent then, nothing can be sent
// any more, and a call whose function returns nil all the same fails with that
// error. So a deferred Rollback, which also runs where the function succeeds, has
// to go from code that is moved into a function.
func (tx *Tx) Rollback(ctx context.Context) error {
	if tx.savepoint == nil {
		return tx.refuse("called Rollback")
	}
	if err := tx.at.gate.enter(); err != nil {
		return err
	}
	defer tx.leave()
	if tx.savepoint.kept {
		tx.savepoint.kept = false
		tx.closed.Store(false)
	}
	return tx.end(ctx, (*attempt).undoMark)
}

// refuse needs no gate: the function may be in a callback, and must not commit.
func (tx *Tx) refuse(what string) error {
	if tx.closed.Load() || tx.at.gate.closed() {
		return pgx.ErrTxClosed
	}
	return tx.share.refuse(what)
}

func (tx *Tx) end(ctx context.Context, how func(*attempt, context.Context, *savepoint) error) error {
	if err := tx.alive(); err != nil && err != tx.at.broken {
		return err
	}
	tx.closed.Store(true)
	return how(tx.at, ctx, tx.savepoint)
}

// Exec sends a statement and waits for its result.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := tx.enterFor(sql); err != nil {
		return pgconn.CommandTag{}, err
	}
	defer tx.leave()
	return tx.at.exec(ctx, sql, args)
}

// Query sends a statement that returns rows. Rows that are still open when the
// function returns are closed.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	r := tx.query(ctx, sql, args)
	return r, r.Err()
}

func (tx *Tx) query(ctx context.Context, sql string, args []any) pgx.Rows {
	if err := tx.enterFor(sql); err != nil {
		return failedRows(err)
	}
	defer tx.leave()
	inner := tx.at.query(ctx, sql, args)
	if r, ok := inner.(*rows); ok {
		return r.forFunction()
	}
	return inner
}

// QueryRow sends a statement that returns at most one row. Scan gives
// pgx.ErrNoRows where there is none.
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := tx.enterFor(sql); err != nil {
		return failedRows(err)
	}
	defer tx.leave()
	inner := tx.at.queryRow(ctx, sql, args)
	if r, ok := inner.(row); ok {
		if rows, ok := r.Rows.(*rows); ok {
			return row{rows.forFunction()}
		}
	}
	return inner
}

// SendBatch sends the queries of b in one round trip. What its callbacks are
// given is provisional until the transaction has been committed. They do not run
// for a batch that the function leaves open.
//
// When one result cannot be scanned, pgx drops the errors of the later ones: a
// conflict among them rolls back, but is not seen and so not retried.
func (tx *Tx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := tx.enter(); err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	defer tx.leave()
	if beginsItself(b) {
		return pgx.FailedBatchResults(b, errBatchBegins)
	}
	for _, q := range b.QueuedQueries {
		if err := tx.share.admit(q.SQL); err != nil {
			return pgx.FailedBatchResults(b, err)
		}
	}
	if err := tx.at.flushForPgx(ctx); err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	for _, q := range b.QueuedQueries { // in the mode of the connection, which is known now
		if err := tx.at.checkParameters(q.Arguments); err != nil {
			return pgx.FailedBatchResults(b, err)
		}
	}
	if n := len(b.QueuedQueries); n > 0 {
		tx.at.sending(b.QueuedQueries[n-1].SQL)
	}
	r := &batchResults{at: tx.at}
	r.BatchResults = tx.at.sender().SendBatch(ctx, r.watch(b))
	tx.at.opened(r)
	return r
}

// CopyFrom copies rows into a table with the COPY protocol. Make src inside the
// function: one that an earlier attempt has read from has lost rows, so the call
// fails with an error that says so, also if src could begin again. Not seen is
// what src itself reads from, such as a file or a channel made outside. A panic of
// src goes on in the goroutine of the caller.
func (tx *Tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error) {
	if err := tx.enter(); err != nil {
		return 0, err
	}
	defer tx.leave()
	if err := tx.at.checkSource(src); err != nil {
		return 0, err
	}
	if err := tx.at.flushForPgx(ctx); err != nil {
		return 0, err
	}
	return tx.at.copyFrom(ctx, table, columns, src)
}

// Prepare makes a prepared statement on the transaction's connection. The name must
// not read like SQL, a keyword with white space behind it or a word that ends a
// transaction, unless it is sql itself: where a statement is given, it would be
// taken for that.
func (tx *Tx) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	if err := tx.enterFor(sql); err != nil {
		return nil, err
	}
	defer tx.leave()
	if name != sql && (isStatement(name) || control(name) != "") {
		return nil, fmt.Errorf("txn: Prepare: the name %q reads like SQL", name)
	}
	if err := tx.at.flushForPgx(ctx); err != nil {
		return nil, err
	}
	sd, err := tx.at.sender().Prepare(ctx, name, sql)
	tx.at.observe("", "", err)
	return sd, err
}

// LargeObjects gives access to large objects, which only PostgreSQL has. They
// are closed when no transaction can be begun; the call returns why.
func (tx *Tx) LargeObjects() pgx.LargeObjects {
	if tx.enter() != nil {
		return closedTx().LargeObjects()
	}
	defer tx.leave()
	if tx.at.flush(tx.at.ctx) != nil {
		return closedTx().LargeObjects()
	}
	if tx.at.largeObjects == nil {
		if tx.at.largeObjects = tx.at.inner; tx.at.link != nil {
			tx.at.largeObjects = begunTx(tx.at.conn)
		}
	}
	return tx.at.largeObjects.LargeObjects()
}

// closedTx is a transaction of pgx's whose methods return pgx.ErrTxClosed.
func closedTx() pgx.Tx {
	var b pgx.Batch
	b.BeginTx(pgx.TxOptions{})
	results := pgx.FailedBatchResults(&b, pgx.ErrTxClosed)
	_ = results.Close() // the error it was given
	return results.Tx()
}

// begunTx is pgx's view of a transaction that was begun on conn already. pgx
// makes one only by sending BEGIN, which it does not under a context that is
// done.
func begunTx(conn *pgx.Conn) pgx.Tx {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var b pgx.Batch
	b.BeginTx(pgx.TxOptions{})
	results := conn.SendBatch(ctx, &b)
	_ = results.Close() // that the context is done
	return results.Tx()
}

// Conn is the connection of the transaction, for what a Tx does not offer. What
// is sent on it past the Tx is not seen by the rules for retrying. It begins the
// transaction, and is nil if that fails; the call returns why. It is nil, too,
// while another goroutine waits for a statement, and after the function has
// returned. Do not keep it: the connection is somebody else's by then.
func (tx *Tx) Conn() *pgx.Conn {
	if tx.at.gate.enter() != nil {
		return nil
	}
	defer tx.leave()
	if tx.closed.Load() {
		return nil
	}
	if tx.usable() == nil {
		_ = tx.at.flush(tx.at.ctx) // the call returns it
	}
	if tx.at.broken != nil {
		return nil
	}
	return tx.at.conn
}
