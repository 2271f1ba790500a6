package txn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// attempt is one run of the function in one transaction, and what is known of
// it. The Tx of that run and all savepoints in it share it.
type attempt struct {
	call   *call // nil where somebody else began the transaction
	number int
	gate   gate
	outer  context.Context // of the call
	ctx    context.Context // the one that the function is given; it ends with the attempt
	cancel context.CancelFunc
	direct bool // statements are sent by this package, on a connection of its own

	firstSQL   string // what the transaction begins with
	firstArgs  []any
	firstPrint fingerprint   // of that; zero: none, or it was too much work while there were no lines
	trail      []fingerprint // of what was sent, while there are lines
	turn       *turn         // nil: there is no line
	conflicted bool          // it lost to another transaction

	conn     *pgx.Conn                // nil before the first statement, and behind a wrapper
	wire     atomic.Pointer[pgx.Conn] // the same, for the one who interrupts
	link     *link                    // of conn, where this package sends by itself
	inner    pgx.Tx                   // the transaction of a wrapper, or one that was joined
	release  func()
	reused   bool               // conn has served another attempt before, so it may have ended since
	endBegin context.CancelFunc // ends the context that a wrapper began with
	begun    bool               // BEGIN was answered
	forgot   bool               // the names of prepared statements, with pgx and the session
	plain    string             // the last statement, if pgx sent it by itself
	prior    string             // the last statement of what was sent before

	careful bool // nothing is described before all that is ahead of it was carried out

	queue      []statement // not sent yet
	queueSpace [1]statement
	enqueued   int // how many there have been
	savepoints int
	nonce      string  // of the claim, with Once
	claimed    bool    // the claim was answered
	fences     bool    // the claim is to make others fail
	stored     *string // the result that the claim brings
	hooks      []func(context.Context)

	failed   error           // the first error since the transaction was last healthy
	conflict *pgconn.PgError // the last conflict, also one that a savepoint undid
	broken   error           // nothing can be sent any more, and nothing is to be committed
	brokenBy int             // the number of the queued statement that is the reason, or 0
	open     abandoner       // rows or a batch that the function has not closed

	cockroach    bool   // read when connected: the connection may be somebody else's in the end
	ended        string // the tag with which the function ended the transaction itself
	endErr       error  // or the error
	interrupted  bool   // a goroutine of the function still used it when that had returned
	largeObjects pgx.Tx // whose handles pgx must close
}

// name is that of the call, for errors.
func (a *attempt) name() string {
	if a.call == nil {
		return ""
	}
	return a.call.name
}

// abandoner is closed without running anything of the function's.
type abandoner interface{ abandon() }

// joined is the attempt for a transaction that somebody else began.
func joined(ctx context.Context, tx pgx.Tx) *attempt {
	a := &attempt{number: 1, outer: ctx, ctx: ctx, inner: tx, begun: true}
	a.attach(connOf(tx))
	return a
}

func (a *attempt) attach(conn *pgx.Conn) {
	a.conn = conn
	a.wire.Store(conn)
	a.cockroach = conn != nil && conn.PgConn().ParameterStatus("crdb_version") != ""
}

// The server's view of the transaction. Without a connection it is not known.
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

// observe looks at the answer to a statement. An error counts only while the
// server says that the transaction is failed: what a savepoint undid, and what
// never left the client, is forgotten.
func (a *attempt) observe(sql, ended string, err error) {
	if err != nil {
		if pe := conflict(err); pe != nil {
			a.conflict = pe
		}
		if a.failed == nil && (a.lost() || serverError(err) != nil || a.conn == nil && cutOff(err)) {
			a.failed = err
		}
	}
	if e := ending(sql, ended); e != "" { // whatever the status: another one may have begun
		a.ended, a.endErr = e, err
	}
	if a.lost() || !a.begun || a.conn != nil && a.conn.PgConn().IsBusy() { // and its status that of before
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

// endedUnseen is said of a transaction whose end was not seen, such as one past
// the Tx.
const endedUnseen = "a statement of its own"

// look notices that the transaction was ended past the Tx.
func (a *attempt) look() {
	if a.ended == "" && a.begun && a.conn != nil && !a.lost() && !a.conn.PgConn().IsBusy() && a.status() == statusIdle {
		a.ended = endedUnseen
	}
}

// misuse is the error of a function that ended the transaction itself.
func (a *attempt) misuse() error {
	return fmt.Errorf("%w; the function ended it itself, by %s", errNotYours, a.ended)
}

// sender is what sends batches and the like, once nothing is pending.
func (a *attempt) sender() interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error)
	Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error)
} {
	if a.link == nil {
		return a.inner
	}
	return a.conn
}

// stop makes the attempt fail with err, whatever the function makes of it.
func (a *attempt) stop(err error) error {
	if a.broken == nil {
		a.broken = err
	}
	return a.broken
}

// healthy reports whether COMMIT would commit, as far as can be seen.
func (a *attempt) healthy() bool {
	switch {
	case a.broken != nil:
		return false
	case a.conn == nil:
		return a.failed == nil
	case !a.begun:
		return !a.lost() && !a.conn.PgConn().IsBusy()
	}
	return !a.lost() && !a.conn.PgConn().IsBusy() && a.status() == statusActive
}

// reason is the error because of which the transaction does not commit: the one
// that failed it, even if the function hid or swallowed it; or a conflict of
// this transaction that the function returned although a savepoint undid it. A
// conflict of another connection is none of ours. Without any it is nil.
func (a *attempt) reason(returned error) error {
	if !a.healthy() {
		return a.failure(returned)
	}
	switch pe := conflict(returned); {
	case a.conflict == nil:
	case pe == a.conflict:
		return returned
	case errors.Is(returned, a.conflict):
		return a.conflict
	}
	return nil
}

// failure is the error that failed the transaction. Where nothing was seen of
// it (a large object, a callback) the function's own error is the best guess.
func (a *attempt) failure(returned error) error {
	switch {
	case a.broken != nil:
		return a.broken
	case a.failed != nil:
		return a.failed
	case returned != nil:
		return returned
	case a.conn != nil && !a.lost() && a.conn.PgConn().IsBusy():
		return errStillBusy
	}
	return pgx.ErrTxCommitRollback
}

var errStillBusy = errors.New("rows that were opened past the Tx are still open")

func (a *attempt) evidence(err error) evidence {
	e := evidence{phase: phaseBody, err: err, lost: a.lost(), cockroach: a.cockroach}
	if !a.begun {
		e.phase = phaseBegin
	}
	return e
}

// opened remembers what the function has to close; while something is open, pgx
// refuses to open more.
func (a *attempt) opened(o abandoner) {
	if a.open == nil {
		a.open = o
	}
}

func (a *attempt) closed(o abandoner) {
	if a.open == o {
		a.open = nil
	}
}
