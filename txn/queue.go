package txn

import (
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/sqltext"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// Queue defers a write. It is sent with the next statement that needs a reply, or with
// COMMIT, in the order queued, so the last writes of a transaction and its COMMIT take
// one round trip.
//
//	tx.Queue("update accounts set balance = $2 where id = $1", id, balance-amount)
//
// Queue is for writes whose result is not read. If a write must find its row (an update
// of a row that may be gone, a check by the number of rows), use [Tx.QueueExpect] or
// Exec: a queued write that changes nothing is not an error.
//
// An error of a queued write is the call's error, and a conflict is retried like any
// other. It is returned as a [*QueuedError], which names the statement, from the
// statement that it traveled with or from the call. After that nothing more is sent.
// The arguments are read when the statement is sent, so do not change the values that
// they point to. Commands that bypass the Tx (through Conn or a large object) do not
// wait for queued writes.
//
// After the function that the Tx belongs to has returned, nothing is queued, and an
// error is logged by [log/slog].
func (tx *Tx) Queue(sql string, args ...any) {
	tx.enqueue(wire.Statement{Kind: wire.Queued, SQL: sql, Args: args})
}

// QueueExpect is [Tx.Queue] for an INSERT, UPDATE or DELETE, without RETURNING, that
// must change exactly the given number of rows. If it changes another number, the
// transaction is rolled back and the call returns an [*UnexpectedRowsError]. The
// database checks the number, by a statement around sql, so the check takes no round
// trip. sql may end in a comment or a semicolon, and may begin with WITH. The database
// refuses a semicolon before a comment, RETURNING, and another INSERT, UPDATE or DELETE
// inside that WITH.
func (tx *Tx) QueueExpect(rows int64, sql string, args ...any) {
	expected := &sqltext.Expectation{Rows: rows, SQL: sql}
	tx.enqueue(wire.Statement{Kind: wire.Queued, SQL: expected.Statement(), Args: args, About: expected})
}

func (tx *Tx) enqueue(s wire.Statement) {
	switch err := tx.at.gate.enter(); err {
	case nil:
		defer tx.leave()
		if tx.closed.Load() {
			tx.tooLate("Queue")
			return
		}
		tx.admitted(s)
	case errBusy: // with the answer to a statement, whose callback this may be
		tx.enqueueLater(s)
	default:
		tx.tooLate("Queue")
	}
}

// enqueueLater queues a statement behind the one in progress.
func (tx *Tx) enqueueLater(s wire.Statement) {
	if tx.closed.Load() {
		tx.tooLate("Queue")
	} else if !tx.at.gate.afterwards(func() { tx.admitted(s) }) {
		tx.enqueue(s)
	}
}

// admitted queues a statement unless it is misuse, which fails the call.
func (tx *Tx) admitted(s wire.Statement) {
	if tx.share.admit(s.SQL) == nil {
		tx.at.enqueue(s)
	}
}

func (a *attempt) enqueue(s wire.Statement) {
	a.enqueued++
	s.Number = a.enqueued
	a.queue = append(a.queue, s)
}

// tooLate logs misuse in a method that returns no error.
func (tx *Tx) tooLate(method string) {
	slog.Error("txn: "+method+" on a transaction that is over: it has no effect", "transaction", tx.at.name(), "stack", string(debug.Stack()))
}

// QueuedError is the error of a statement given to [Tx.Queue].
type QueuedError struct {
	SQL string // as queued
	Err error  // usually the server's
}

func (e *QueuedError) Error() string {
	return fmt.Sprintf("txn: queued statement %q: %v", e.SQL, e.Err)
}

// Unwrap returns Err.
func (e *QueuedError) Unwrap() error { return e.Err }

// UnexpectedRowsError reports that a statement given to [Tx.QueueExpect] would have
// changed another number of rows. Nothing was committed.
type UnexpectedRowsError struct {
	SQL  string // as queued
	Want int64
	Got  int64
}

func (e *UnexpectedRowsError) Error() string {
	return fmt.Sprintf("txn: queued statement %q: changed %d rows, expected %d", e.SQL, e.Got, e.Want)
}

// Kind returns errs.Conflict: the data is not what the function assumed.
func (e *UnexpectedRowsError) Kind() kind.Kind { return kind.Conflict }

func queuedError(s *wire.Statement, err error) error {
	expected, ok := s.About.(*sqltext.Expectation)
	if !ok {
		return &QueuedError{SQL: s.SQL, Err: err}
	}
	if pe := pgerr.ServerError(err); pe != nil && pe.Code == pgerr.InvalidText {
		if got, is := sqltext.Unexpected(pe.Message); is {
			return &UnexpectedRowsError{SQL: expected.SQL, Want: expected.Rows, Got: got}
		}
	}
	return &QueuedError{SQL: expected.SQL, Err: err}
}
