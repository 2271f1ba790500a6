package txn

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// attempt is what is known of one run of the function in one transaction. The
// Tx of that run and all savepoints in it share it.
type attempt struct {
	number    int
	conn      *pgx.Conn // nil behind a wrapper or mock that does not show one
	cockroach bool      // read at the start: the connection may be somebody else's in the end

	first    error           // the first error since the transaction was last healthy
	conflict *pgconn.PgError // the last conflict, also one that a savepoint undid
	open     abandoner       // rows or a batch that the function has not closed

	ended        string // the tag with which the function ended the transaction itself
	endErr       error  // or the error
	over         bool   // the call is done with the transaction
	largeObjects bool   // a handle is out that pgx must close
}

// abandoner is closed without running anything of the function's.
type abandoner interface{ abandon() }

func newAttempt(number int, conn *pgx.Conn) *attempt {
	a := &attempt{number: number, conn: conn}
	a.cockroach = conn != nil && conn.PgConn().ParameterStatus("crdb_version") != ""
	return a
}

// The server's view of the transaction. Without a connection it is not known.
const (
	statusUnknown = byte(0)
	statusIdle    = byte('I')
	statusActive  = byte('T')
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
func (a *attempt) observe(tag string, err error) {
	if err != nil {
		if pe := conflict(err); pe != nil {
			a.conflict = pe
		}
		if a.first == nil && (a.lost() || isServerError(err)) {
			a.first = err
		}
	}
	switch tag {
	case "COMMIT", "BEGIN", "START TRANSACTION": // whatever the status: another one may have begun
		a.ended = tag
	}
	if a.lost() {
		return
	}
	switch a.status() {
	case statusActive:
		a.first = nil
	case statusIdle:
		if a.ended == "" {
			a.ended, a.endErr = cmp.Or(tag, "a statement of its own"), err
		}
	}
}

// misuse is the error of a function that ended the transaction itself.
func (a *attempt) misuse() error {
	return fmt.Errorf("%w; the function ended it itself, by %s", errNotYours, a.ended)
}

func isServerError(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe)
}

// healthy reports whether COMMIT would commit, as far as can be seen.
func (a *attempt) healthy() bool {
	if a.conn == nil {
		return a.first == nil
	}
	return !a.lost() && !a.conn.PgConn().IsBusy() && a.status() == statusActive
}

// retryable is the conflict because of which the function has to run again: one
// that failed the transaction, even if the function hid or swallowed it, or one
// of this transaction that the function returned. A conflict of some other
// connection that the function returned is none of ours.
func (a *attempt) retryable(returned error) error {
	if !a.healthy() {
		failure := a.failure(returned)
		if conflict(failure) != nil {
			return failure
		}
		return nil
	}
	if pe := conflict(returned); pe != nil && pe == a.conflict {
		return returned
	}
	return nil
}

// failure is the error that failed the transaction. Where nothing was seen of
// it (a large object, a callback) the function's own error is the best guess.
func (a *attempt) failure(returned error) error {
	if a.first != nil {
		return a.first
	}
	if returned != nil {
		return returned
	}
	if a.conn != nil && !a.lost() && a.conn.PgConn().IsBusy() {
		return errStillBusy
	}
	return pgx.ErrTxCommitRollback
}

var errStillBusy = errors.New("rows that were opened past the Tx are still open")

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

// settle closes what the function left open: the connection is busy until then.
func (a *attempt) settle() {
	if a.open != nil {
		a.open.abandon()
		a.open = nil
	}
}
