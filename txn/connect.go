package txn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// connect takes a connection for a transaction that begins with the statement first,
// unless statements are queued. first is nil if it is unknown. Nothing is sent yet,
// except through a database that only has BeginTx.
func (a *attempt) connect(ctx context.Context, first *wire.Statement) error {
	if a.broken != nil {
		return a.broken
	}
	if a.conn != nil || a.inner != nil {
		return nil
	}
	ctx, unbind := a.bound(ctx)
	defer unbind()
	sql, args := a.opensWith(first)
	if err := a.enter(ctx, sql, args); err != nil {
		return err
	}
	ctx = a.call.running.owned(ctx)
	if !a.direct {
		return a.beginInner(a.call.db.(beginner))
	}
	var err error
	switch db := a.call.db.(type) {
	case pool: // or a struct that embeds one, which may override Acquire
		if err = a.acquire(ctx, db); err != nil && ctx.Err() != nil && a.ctx.Err() == nil { // the statement's own context
			return a.beginError(err)
		}
	case *pgxpool.Conn:
		err = a.useOwned(db.Conn())
	case *pgx.Conn:
		err = a.useOwned(db)
	}
	if err != nil {
		return a.stop(a.beginError(err))
	}
	if a.gate.closing() { // closed during the wait for the connection, which is given back
		return a.stop(a.beginError(pgx.ErrTxClosed))
	}
	a.claimKey()
	return nil
}

// opensWith returns the statement of the function that the transaction begins with.
func (a *attempt) opensWith(s *wire.Statement) (sql string, args []any) {
	for i := range a.queue {
		if a.queue[i].Kind == wire.Queued {
			s = &a.queue[i]
			break
		}
	}
	if s == nil {
		return "", nil
	}
	return s.SQL, s.Args
}

func (a *attempt) use(conn *pgx.Conn) {
	a.attach(conn)
	a.call.running.conn.Store(conn)
	a.session = sessionOf(conn)
	a.reused = a.session.Serve()
	if a.call.nameless {
		a.session.WithoutNames()
	}
}

func (a *attempt) connected() {
	if a.session != nil {
		a.session.Watch(a.ctx)
	}
	if a.permit != nil {
		a.call.queuing.queues.Connected(a.permit)
	}
}

// useOwned uses a connection of the caller's, on which the function may meanwhile have
// begun something else.
func (a *attempt) useOwned(conn *pgx.Conn) error {
	if err := idle(conn); err != nil {
		return err
	}
	a.use(conn)
	a.connected()
	return nil
}

// connOfDB returns the connection that db is, or nil.
func connOfDB(db DB) *pgx.Conn {
	switch db := db.(type) {
	case *pgxpool.Conn:
		return db.Conn()
	case *pgx.Conn:
		return db
	}
	return nil
}

// checkOwned refuses a connection of the caller's that cannot begin a transaction.
func checkOwned(db DB, name string) error {
	conn := connOfDB(db)
	if conn == nil {
		return nil
	}
	if err := idle(conn); err != nil {
		return fmt.Errorf("%s: begin: %w", prefix(name), err)
	}
	return nil
}

// idle refuses a connection on which BEGIN would not begin a transaction.
func idle(conn *pgx.Conn) error {
	switch pg := conn.PgConn(); {
	case pg.IsClosed():
		return pgconn.ErrConnClosed
	case pg.IsBusy():
		return errors.New("the connection is busy: close the rows or the batch that are open on it")
	case pg.TxStatus() != statusIdle:
		return fmt.Errorf("the connection is in a transaction already (status %q): give the call that transaction instead", pg.TxStatus())
	}
	return nil
}

// beginInner begins through a database that only has BeginTx, such as a mock. Settings
// that BEGIN would have carried follow in separate statements.
func (a *attempt) beginInner(db beginner) error {
	ctx := a.call.running.owned(a.ctx) // that of a statement may end before the transaction does
	tx, err := a.beginTx(ctx, db)
	if err != nil {
		return a.stop(a.beginError(err))
	}
	a.inner, a.begun = tx, true
	a.attach(connOf(tx))
	a.connected()
	if err := a.call.running.begunOn(a.conn); err != nil {
		return a.stop(err)
	}
	if a.gate.closing() {
		return a.stop(a.beginError(pgx.ErrTxClosed))
	}
	a.claimKey()
	first := a.call.firstAfter(a.call.orphan)
	for i := range first[1:] {
		s := &first[i+1]
		if _, err := tx.Exec(ctx, s.SQL); err != nil {
			return a.failedAhead(s, err)
		}
	}
	return nil
}

// beginError returns what failed in place of BEGIN's answer. A lost connection or the
// end of a context is also an error of the statement that travels with BEGIN.
func (a *attempt) beginError(err error) error {
	pe := pgerr.ServerError(err)
	switch {
	case pe != nil && pe.Code == pgerr.NotSupported && a.onStandby(pe):
		return fmt.Errorf("%s: begin: a hot standby has no SERIALIZABLE: use the options ReadOnly and Isolation(pgx.RepeatableRead) there: %w", prefix(a.name()), err)
	case pe != nil && (pe.Code == pgerr.Syntax || pe.Code == pgerr.NotSupported) && a.call.first[0].About != nil:
		return fmt.Errorf("%s: begin: the server does not know %s, which CockroachDB has: %w", prefix(a.name()), a.call.first[0].About, err)
	case a.session != nil && (pe == nil || pgerr.Fatal(pe) || a.session.Simple()):
		// In simple_protocol the packet is one text, which is parsed before any of it
		// runs.
		if s := a.withBegin(); s != nil {
			return fmt.Errorf("%s: begin, or what was sent with it, %q: %w", prefix(a.name()), beginning(s.SQL), err)
		}
	}
	return fmt.Errorf("%s: begin: %w", prefix(a.name()), err)
}

// withBegin returns the function's first statement in the packet that was sent last, or
// nil.
func (a *attempt) withBegin() *wire.Statement {
	for s := range a.session.Sent() {
		if s.Kind == wire.Queued || s.Kind == wire.Answered {
			return s
		}
	}
	return nil
}

// onStandby reports whether a server that does not support something is a hot standby.
// From PostgreSQL 14 on the server itself says so.
func (a *attempt) onStandby(pe *pgconn.PgError) bool {
	return a.conn != nil && a.conn.PgConn().ParameterStatus("in_hot_standby") == "on" || strings.Contains(pe.Message, "hot standby")
}

// rollback undoes the transaction even if ctx has ended. A connection on which that
// fails is closed, so the server undoes it.
func (a *attempt) rollback(ctx context.Context) {
	if a.conn == nil && a.inner == nil || a.session != nil && a.idle() && !a.interrupted {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackGrace)
	defer cancel()
	if a.session == nil {
		_ = a.inner.Rollback(ctx) // an error changes nothing
		return
	}
	done := false
	defer func() {
		if !done || !a.idle() { // or the tracer panicked
			_ = a.conn.Close(ctx)
		}
	}()
	if pg := a.conn.PgConn(); pg.TxStatus() != statusIdle && !a.busy() && !a.interrupted {
		_, _ = a.conn.Exec(ctx, "rollback") // the status shows its effect
	}
	done = !a.interrupted
}

// idle reports whether the connection is in no transaction and has nothing in progress.
func (a *attempt) idle() bool {
	return !a.busy() && a.conn.PgConn().TxStatus() == statusIdle
}

// busy reports whether results on the connection have not been read.
func (a *attempt) busy() bool {
	return a.conn.PgConn().IsBusy() || a.session != nil && a.session.Busy()
}

// sessionOf returns the session of a connection. A guard alone lets all operations of
// the call itself pass, so it is told of none.
func sessionOf(conn *pgx.Conn) *wire.Session {
	return wire.SessionOf(conn, func(t pgx.QueryTracer) bool { _, alone := t.(*guard); return alone })
}

// give gives the connection back.
func (a *attempt) give(ctx context.Context) {
	defer a.releasePermit()
	if a.pooled != nil {
		defer a.pooled.Release()
	}
	defer a.call.running.conn.Store(nil)
	if a.session != nil && a.lost() { // a wrapper may have given it to somebody else
		// pgx closes the socket in a goroutine, by a deadline that the end of its own
		// context may remove. Until then the server holds the locks.
		_ = a.conn.PgConn().Conn().SetDeadline(time.Now().Add(rollbackGrace))
	}
	for _, f := range a.atEnd {
		f(ctx)
	}
	if a.session != nil { // it outlives the call; the call's statements must not
		a.session.Forget()
	}
}
