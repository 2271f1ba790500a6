package txn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/ledger"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// attempt is one run of the function in one transaction. The Tx of that run and all
// savepoints in it share it.
//
// Only the goroutine inside the gate uses its fields, or the one that closed the gate,
// except for call, number, gate, ctx and the connection's shared.
type attempt struct {
	call   *call // nil if somebody else began the transaction
	number int
	gate   gate
	tx     Tx              // given to the function
	share  share           // of tx
	ctx    context.Context // given to the function; ends with the attempt
	cancel context.CancelFunc

	connection
	contention
	outbox
	claim *ledger.Claim // nil without Once
	health
	hooks []func(context.Context)
}

// connection is what the transaction runs on.
type connection struct {
	direct    bool                     // statements are sent by this package, on a connection of its own
	reused    bool                     // conn has served another attempt before, so it may have ended since
	cockroach bool                     // read on connecting, as the connection may be somebody else's at the end
	careful   bool                     // a statement is described only after all statements ahead of it were executed
	forgot    bool                     // pgx and the session have dropped the names of prepared statements
	conn      *pgx.Conn                // nil before the first statement, and behind a wrapper
	shared    atomic.Pointer[pgx.Conn] // conn, for the goroutine that interrupts
	session   *wire.Session            // of conn, if this package sends by itself
	pooled    *pgxpool.Conn            // conn, if it goes back to a pool
	inner     pgx.Tx                   // transaction of a wrapper, or the joined one
	atEnd     []func(context.Context)  // run before conn is given back
}

// outbox holds the statements that have not been sent.
type outbox struct {
	queue      []wire.Statement
	queueSpace [1]wire.Statement
	enqueued   int32  // how many statements were ever queued
	savepoints int32  // how many were ever made
	plain      string // the last statement, if pgx sent it by itself
	prior      string // last statement sent before that
}

// health is what became of the transaction, as far as can be seen.
type health struct {
	begun       bool            // BEGIN was answered
	undrained   bool            // the connection was closed because of what was left open, by no fault of its own
	interrupted bool            // a goroutine of the function still used it after the return
	brokenBy    int32           // number of the queued statement that caused broken, or 0
	failed      error           // the first error since the transaction was last healthy
	conflict    *pgconn.PgError // the last conflict, even if a savepoint undid it
	write       *pgconn.PgError // the last refusal of a write because the transaction is read-only, even if a savepoint undid it
	broken      error           // if set, nothing more is sent and nothing is committed
	open        abandoner       // rows or a batch that the function has not closed
	ended       string          // the tag with which the function ended the transaction itself
	endErr      error           // or the error that it got
}

// name returns the name of the call, for errors.
func (a *attempt) name() string {
	if a.call == nil {
		return ""
	}
	return a.call.name
}

// abandoner is closed without running the function's code.
type abandoner interface{ abandon() }

// joined returns the attempt for a transaction that somebody else began.
func joined(ctx context.Context, tx pgx.Tx) *attempt {
	a := &attempt{number: 1, ctx: ctx}
	a.inner, a.begun = tx, true
	a.attach(connOf(tx))
	return a
}

func (a *attempt) attach(conn *pgx.Conn) {
	a.conn = conn
	a.shared.Store(conn)
	a.cockroach = conn != nil && conn.PgConn().ParameterStatus("crdb_version") != ""
}

// The server's view of the transaction. Without a connection it is unknown.
const (
	statusUnknown = byte(0)
	statusIdle    = byte('I')
	statusActive  = byte('T')
	statusFailed  = byte('E')
)

func (a *attempt) status() byte {
	if a.conn == nil {
		return statusUnknown
	}
	return a.conn.PgConn().TxStatus()
}

func (a *attempt) lost() bool { return a.conn != nil && a.conn.IsClosed() }

// observe records the answer to a statement. An error counts only while the server
// reports the transaction as failed: errors that a savepoint undid, or that never left
// the client, are dropped.
func (a *attempt) observe(sql, ended string, err error) {
	if err != nil {
		if pe := outcome.Conflict(err); pe != nil {
			a.conflict = pe
		}
		a.noteWrite(err)
		if a.failed == nil && (a.lost() || pgerr.ServerError(err) != nil || a.conn == nil && outcome.CutOff(err)) {
			a.failed = err
		}
	}
	if e := ending(sql, ended); e != "" { // whatever the status: another transaction may have begun
		a.ended, a.endErr = e, err
	}
	if a.lost() || !a.begun || a.conn != nil && a.busy() { // and its status is the previous one
		return
	}
	switch a.status() {
	case statusActive:
		a.failed = nil
	case statusIdle:
		if a.ended == "" {
			a.ended, a.endErr = cmp.Or(ended, endedUnseen), err
		}
	}
}

// noteWrite records that the server refused a write.
func (h *health) noteWrite(err error) {
	if pe := pgerr.ServerError(err); pe != nil && pe.Code == pgerr.ReadOnly {
		h.write = pe
	}
}

// endedUnseen describes a transaction whose end was not seen, such as one past the Tx.
const endedUnseen = "a statement of its own"

// look detects that the transaction was ended past the Tx.
func (a *attempt) look() {
	if a.ended == "" && a.begun && a.conn != nil && !a.lost() && !a.busy() && a.status() == statusIdle {
		a.ended = endedUnseen
	}
}

// misuse returns the error of a function that ended the transaction itself.
func (a *attempt) misuse() error {
	return fmt.Errorf("%w; the function ended it itself, by %s", errNotYours, a.ended)
}

// sender returns what sends batches and the like, once nothing is pending.
func (a *attempt) sender() interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error)
	Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error)
} {
	if a.session == nil {
		return a.inner
	}
	return a.conn
}

// stop makes the attempt fail with err, whatever the function does with it.
func (h *health) stop(err error) error {
	if h.broken == nil {
		h.broken = err
	}
	return h.broken
}

// healthy reports whether COMMIT would commit, as far as can be seen.
func (a *attempt) healthy() bool {
	switch {
	case a.broken != nil:
		return false
	case a.conn == nil:
		return a.failed == nil
	case !a.begun:
		return !a.lost() && !a.busy()
	}
	return !a.lost() && !a.busy() && a.status() == statusActive
}

// reason returns the error that keeps the transaction from committing: the error that
// failed it, even if the function hid or ignored it, or a conflict of this transaction
// that the function returned although a savepoint undid it. A conflict of another
// connection does not count. It returns nil if there is none.
func (a *attempt) reason(returned error) error {
	if !a.healthy() && !a.undrained {
		return a.failure(returned)
	}
	switch pe := outcome.Conflict(returned); {
	case a.conflict == nil:
	case pe == a.conflict:
		return returned
	case errors.Is(returned, a.conflict):
		return a.conflict
	}
	return nil
}

// failure returns the error that failed the transaction. If the failure was not
// observed (a large object, a callback), the function's own error is the best guess.
func (a *attempt) failure(returned error) error {
	switch {
	case a.broken != nil:
		return a.broken
	case a.failed != nil:
		return a.failed
	case returned != nil:
		return returned
	case a.conn != nil && !a.lost() && a.busy():
		return errStillBusy
	}
	return pgx.ErrTxCommitRollback
}

var errStillBusy = errors.New("rows that were opened past the Tx are still open")

func (a *attempt) evidence(err error) outcome.Evidence {
	e := outcome.Evidence{Phase: outcome.Body, Err: err, Lost: a.lost(), Cockroach: a.cockroach}
	if !a.begun {
		e.Phase = outcome.Begin
	}
	return e
}

// opened records what the function has to close. While something is open, pgx refuses
// to open more.
func (h *health) opened(o abandoner) {
	if h.open == nil {
		h.open = o
	}
}

func (h *health) closed(o abandoner) {
	if h.open == o {
		h.open = nil
	}
}
