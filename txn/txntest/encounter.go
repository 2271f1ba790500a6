package txntest

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// encounter is a transaction, with its savepoints, and the fault that it will meet. The
// DB's mutex guards what the DB reports at the end, because a test may end while a
// transaction is still running.
type encounter struct {
	db    *DB
	fault Fault

	statements int   // guarded
	met        bool  // guarded
	refused    error // guarded; the database's error for COMMIT

	conflict *pgconn.PgError // once set, COMMIT is impossible
	over     bool
}

// count counts n statements about to be sent, and returns which of them, from 1, meets
// the conflict; 0 means none.
func (e *encounter) count(n int) int {
	e.db.mu.Lock()
	defer e.db.mu.Unlock()
	before := e.statements
	e.statements += n
	if e.fault.kind == conflictAt && before < e.fault.statement && e.fault.statement <= e.statements {
		return e.fault.statement - before
	}
	return 0
}

// fail stands in for the statement that meets the conflict. It sends another statement
// that really fails, so the server also treats the transaction as failed. If the
// statement could not have met a conflict (the context is done, the connection lost,
// the transaction already failed), fail returns why.
func (e *encounter) fail(ctx context.Context, real pgx.Tx) error {
	const divisionByZero = "22012"
	_, err := real.Exec(ctx, "select 1/0")
	var pe *pgconn.PgError
	if err != nil && !(errors.As(err, &pe) && pe.Code == divisionByZero) {
		return err
	}
	e.conflict = serializationFailure(real.Conn())
	e.meet()
	return e.conflict
}

func (e *encounter) meet() {
	e.db.mu.Lock()
	defer e.db.mu.Unlock()
	e.met = true
	if e.db.rerun {
		e.db.reruns++
		e.db.owed++
	}
}

func (e *encounter) commit(ctx context.Context, real pgx.Tx) error {
	if e.over || !committable(real.Conn()) {
		return real.Commit(ctx) // pgx returns the right error
	}
	e.over = true
	switch {
	case e.conflict != nil: // a savepoint undid it
		_ = real.Rollback(ctx) // COMMIT was not sent, so nothing is committed in any case
		return e.conflict
	case e.fault.kind == conflictAtCommit:
		failure := serializationFailure(real.Conn()) // while the connection is ours
		_ = real.Rollback(ctx)
		e.meet()
		return failure
	case e.fault.kind == unknownAtCommit && !e.fault.applied:
		_ = real.Rollback(ctx)
		e.meet()
		return errAnswerLost
	}
	err := real.Commit(ctx)
	switch {
	case err != nil:
		e.refuse(err)
	case e.fault.kind == unknownAtCommit:
		e.meet()
		return errAnswerLost
	}
	return err
}

func (e *encounter) rollback(ctx context.Context, real pgx.Tx) error {
	e.over = true
	return real.Rollback(ctx)
}

func (e *encounter) refuse(err error) {
	e.db.mu.Lock()
	defer e.db.mu.Unlock()
	e.refused = err
}

// committable reports whether COMMIT could succeed, as far as can be seen.
func committable(conn *pgx.Conn) bool {
	return conn == nil || !conn.IsClosed() && !conn.PgConn().IsBusy() && conn.PgConn().TxStatus() == 'T'
}
