package txn

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/txn/internal/sqltext"
)

// Tx is the transaction that a function runs in. It implements [pgx.Tx], so it works
// with code that takes one: sqlc's WithTx, pgx.CollectRows, your own helpers.
//
// A Tx is for one goroutine at a time, like a pgx.Tx: a statement is refused while
// another goroutine waits for one or has rows open. No method works after the function
// has returned. A goroutine that is still executing a statement at that point is
// interrupted, and the transaction is rolled back. A Tx from [Tx.Begin] is a savepoint,
// which its creator commits or rolls back.
//
// # What the function may do
//
// The function may run more than once. Effects outside the transaction (mails,
// messages, variables that it adds to) happen each time. Assign results inside the
// function or return them; use [Tx.OnCommit] for what must happen once. A reader,
// channel, iterator or row source that the first run has consumed is empty in the
// second: create it inside the function. A reader behind a source of [Tx.CopyFrom], or
// one written to a large object, is not checked.
//
// Commit and Rollback belong to the call, and so do BEGIN, COMMIT and ROLLBACK as SQL
// text: they are refused before anything is sent, nothing is sent after them, and the
// call rolls back even if the function returns nil. A joined call undoes its own work,
// and its caller decides. The same holds for a deferred Rollback on the Tx, which also
// runs if the function succeeds: remove it, as an error rolls back. Commands that
// bypass the Tx, through Conn or a prepared statement made there, are detected only by
// the server's answer: nothing more is sent then, and the call fails, with a
// [*CommittedError] for a COMMIT. Such a COMMIT is not detected if its answer was lost
// with the connection.
//
// Only statements sent through the Tx are part of the transaction. A call on the pool
// with the context of another call's function is refused: pass it the Tx, or use
// [RequiresNew]. Other uses of the pool are sent, unless they have that context and
// [GuardPool] refuses or reports them. With another context, such as the caller's,
// nothing detects them, and they commit by themselves.
//
// A rollback does not undo state of the session, so the next run and the next user of
// the connection see it: locks of pg_advisory_lock (use pg_advisory_xact_lock), PREPARE
// statements and their names, and numbers taken from a sequence. A plain SET outlives
// COMMIT, and on CockroachDB v21.1 a rollback too: use SET LOCAL or [Setting].
//
// # Round trips
//
// BEGIN and the settings travel with the first statement. Statements given to
// [Tx.Queue] travel with the next statement that needs an answer, or with COMMIT. A
// transaction that reads a row and writes it takes three round trips, or two if the
// write is queued; fewer are impossible, as the write depends on the read. [Batch] runs
// a whole pgx.Batch, with BEGIN and COMMIT, in one. A statement that is new to a
// connection takes one more, as in pgx. Through a wrapper or a mock, which begins by
// its own BeginTx (see [DB]), statements, BEGIN and COMMIT are sent one by one.
//
// Sent separately, after a separate BEGIN, are SendBatch, CopyFrom, Prepare, Conn,
// LargeObjects, text with several statements, names of prepared statements, and
// statements with pgx.QueryExecMode or result formats among their arguments. Statements
// given to Exec, QueryRow and Queue, and the first one given to Query, are described by
// this package, once per connection, in a cache beside pgx's own with the same
// capacity. docs/poolers.md in the repository lists which exec modes fit which pooler.
// A new statement is described after the statements queued ahead of it if these may
// change its meaning, which takes one more round trip: SET, DDL, and statements that
// call set_config, your own functions, or functions not known to be harmless.
//
// The name of a prepared statement may stand in place of SQL. Text that begins with an
// SQL keyword and white space is taken as SQL.
type Tx struct {
	at        *attempt
	share     *share
	savepoint *savepoint // nil for the transaction itself, or a joined call's share of it
	closed    atomic.Bool
}

var _ pgx.Tx = (*Tx)(nil)

// Attempt returns the number of this run of the function in its call, from 1.
func (tx *Tx) Attempt() int { return tx.at.number }

// enter lets this goroutine use the transaction until it calls leave.
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

// enterFor is enter for SQL text, which must not begin or end the transaction.
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

// usable returns why tx cannot be used, or nil. The caller must be inside the gate.
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

// Begin creates a savepoint. Its Commit releases it; its Rollback undoes the statements
// after it. A savepoint cannot undo a conflict: return the conflict to the call that
// began the transaction, which alone can run it again. SAVEPOINT and RELEASE travel
// with other statements if possible, like queued statements.
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

// Commit releases a savepoint. It fails if a statement since the savepoint has failed,
// or one that was queued; Rollback can then still undo the statements after the
// savepoint, and the transaction continues. On the transaction itself Commit is an
// error, as the function returns nil instead: nothing is sent, no further statement can
// be sent, and the call does not commit.
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

// Rollback undoes the statements after a savepoint. On the transaction itself it is an
// error, as the function returns an error instead: nothing is sent, no further
// statement can be sent, and a call whose function still returns nil fails with that
// error. So remove a deferred Rollback, which also runs on success, from code that is
// moved into a function.
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

// Query sends a statement that returns rows. Rows that are still open when the function
// returns are closed.
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

// QueryRow sends a statement that returns at most one row, and waits for its result.
// Scan returns pgx.ErrNoRows if there is none.
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

// SendBatch sends the queries of b in one round trip. Results passed to its callbacks
// are provisional until the transaction commits. Callbacks do not run for a batch that
// the function leaves open.
//
// If one result cannot be scanned, pgx drops the errors of the later ones: a conflict
// among them rolls back, but is not seen and so not retried.
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
	for _, q := range b.QueuedQueries { // the connection's mode is known now
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

// CopyFrom copies rows into a table with the COPY protocol. Create src inside the
// function: a source that an earlier attempt has read from has lost rows, so the call
// fails with an error that says so, even if src could start again. The readers behind
// src, such as a file or a channel created outside, are not checked. A panic of src
// continues in the caller's goroutine.
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

// Prepare creates a prepared statement on the transaction's connection. The name must
// not read like SQL (a keyword followed by white space, or a word that ends a
// transaction) unless it equals sql: in place of a statement, such a name would be
// taken for SQL.
func (tx *Tx) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	if err := tx.enterFor(sql); err != nil {
		return nil, err
	}
	defer tx.leave()
	if name != sql && (sqltext.IsStatement(name) || sqltext.Control(name) != "") {
		return nil, fmt.Errorf("txn: Prepare: the name %q reads like SQL", name)
	}
	if err := tx.at.flushForPgx(ctx); err != nil {
		return nil, err
	}
	sd, err := tx.at.sender().Prepare(ctx, name, sql)
	tx.at.observe("", "", err)
	return sd, err
}

// LargeObjects gives access to large objects, which only PostgreSQL has. If the
// transaction cannot begin, the returned objects are closed, and the call returns the
// reason.
func (tx *Tx) LargeObjects() pgx.LargeObjects {
	if tx.enter() != nil {
		return closedTx().LargeObjects()
	}
	defer tx.leave()
	if tx.at.flush(tx.at.ctx) != nil {
		return closedTx().LargeObjects()
	}
	if tx.at.session == nil {
		return tx.at.inner.LargeObjects()
	}
	begun := begunTx(tx.at.conn)
	tx.at.atEnd = append(tx.at.atEnd, func(ctx context.Context) { closeLargeObjects(ctx, begun) })
	return begun.LargeObjects()
}

// closeLargeObjects closes the handles that are still open, which pgx does only in its
// own Rollback. Outside a transaction PostgreSQL only warns of that.
func closeLargeObjects(ctx context.Context, begun pgx.Tx) {
	if !begun.Conn().IsClosed() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackGrace)
		defer cancel()
		_ = begun.Rollback(ctx)
	}
}

// closedTx returns a pgx transaction whose methods return pgx.ErrTxClosed.
func closedTx() pgx.Tx {
	var b pgx.Batch
	b.BeginTx(pgx.TxOptions{})
	results := pgx.FailedBatchResults(&b, pgx.ErrTxClosed)
	_ = results.Close() // the given error
	return results.Tx()
}

// begunTx returns pgx's view of a transaction that has already begun on conn. pgx
// creates one only by sending BEGIN, which it does not do if the context is done.
func begunTx(conn *pgx.Conn) pgx.Tx {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var b pgx.Batch
	b.BeginTx(pgx.TxOptions{})
	results := conn.SendBatch(ctx, &b)
	_ = results.Close() // the context's error
	return results.Tx()
}

// Conn returns the connection of the transaction, for features that Tx lacks.
// Statements sent on it directly are not seen by the retry rules. Conn begins the
// transaction, and returns nil if that fails; the call returns the reason. It also
// returns nil while another goroutine waits for a statement, and after the function has
// returned. Do not keep it: the connection belongs to somebody else by then.
func (tx *Tx) Conn() *pgx.Conn {
	if tx.at.gate.enter() != nil {
		return nil
	}
	defer tx.leave()
	if tx.closed.Load() {
		return nil
	}
	if tx.usable() == nil {
		_ = tx.at.flush(tx.at.ctx) // the call returns the error
	}
	if tx.at.broken != nil {
		return nil
	}
	return tx.at.conn
}
