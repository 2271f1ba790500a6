package wire

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// trailingCommit is a COMMIT sent to PostgreSQL as a separate message, in the same
// write as the statements before it, if it may wait for a synchronous standby (see
// [standbys]). So the server answers these without waiting for COMMIT, which tells the
// commit watchdog that only COMMIT's answer is missing.
//
// If a statement before it fails, COMMIT still runs, and rolls back. CockroachDB gets
// COMMIT among the other statements: it cannot restart a transaction by itself once it
// has answered part of it, and has no such warning.
type trailingCommit struct {
	sent     bool
	answered bool            // or the answer was lost
	status   byte            // of the transaction when COMMIT was reached
	cut      *pgconn.PgError // the warning that its wait for a synchronous standby was cut short
}

// trails reports whether the last statement is to be sent as a trailingCommit. COMMIT by
// itself costs less as text on CockroachDB too.
func (s *Session) trails(statements []outgoing) bool {
	n := len(statements)
	return statements[n-1].Kind == Commit && (n == 1 || !s.cockroach && !s.standbys.none)
}

const commitSQL = "commit"

// CommitStatement is COMMIT.
var CommitStatement = Statement{Kind: Commit, SQL: commitSQL}

// GiveUp closes a connection at once. Unlike pgx it sends no cancel request, which
// would cut short a wait for a synchronous standby.
func GiveUp(conn *pgx.Conn) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = conn.Close(ctx) // closed either way
}

// breakOff closes a connection as pgx does when a context ends: in the background, with
// a request to cancel what its session still executes.
func breakOff(conn *pgx.Conn) {
	pg := conn.PgConn()
	if pg.IsClosed() {
		return
	}
	if pg.Conn().SetDeadline(past) == nil {
		_ = pg.Exec(context.Background(), "").Close() // cannot be sent, after which pgx closes it
	}
	GiveUp(conn) // if it has no deadlines
}

// read reads the answer. The answers before it have been read.
func (t *trailingCommit) read(conn *pgx.Conn) (tag pgconn.CommandTag, err error) {
	t.answered = true
	pg := conn.PgConn()
	if pg.IsClosed() {
		return tag, pgconn.ErrConnClosed
	}
	t.status = pg.TxStatus()
	for {
		msg, readErr := pg.ReceiveMessage(context.Background())
		if readErr != nil {
			GiveUp(conn) // a read timeout leaves it open
			if err == nil {
				err = lostAnswer(readErr)
			}
			return tag, err
		}
		switch msg := msg.(type) {
		case *pgproto3.NoticeResponse:
			t.notice(msg)
		case *pgproto3.CommandComplete:
			tag = pgconn.NewCommandTag(string(msg.CommandTag))
		case *pgproto3.ErrorResponse:
			err = pgconn.ErrorResponseToPgError(msg)
		case *pgproto3.ReadyForQuery:
			return tag, err
		}
	}
}

// notice keeps the warning for which there is cut.
func (t *trailingCommit) notice(msg *pgproto3.NoticeResponse) {
	if w := pgconn.ErrorResponseToPgError((*pgproto3.ErrorResponse)(msg)); cutsShort(w) {
		t.cut = w
	}
}

// inVain reports whether COMMIT was reached in no transaction, or in a failed one, so
// that it committed nothing.
func (t *trailingCommit) inVain() bool {
	return t.sent && (t.status == 'I' || t.status == 'E')
}

// cutShort returns the error for cut.
func (t *trailingCommit) cutShort() error {
	return fmt.Errorf("the wait for a synchronous standby was cut short: %w", t.cut)
}

// lostAnswer removes pgx's claim, made for every failed read by ReceiveMessage, that
// nothing was sent.
func lostAnswer(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// cutsShort reports whether a warning says that COMMIT did not wait for its synchronous
// standby: the data is committed on this server, and may be lost with it. PostgreSQL
// has no code for it.
func cutsShort(w *pgconn.PgError) bool {
	return w.Routine == "SyncRepWaitForLSN" || strings.HasSuffix(w.File, "syncrep.c")
}
