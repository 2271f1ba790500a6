package txn

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// pending reports whether something must be sent ahead of the next statement.
func (a *attempt) pending() bool { return !a.begun || len(a.queue) > 0 }

// joinsPacket reports whether s is sent in a packet of this package: with the pending
// statements, or alone. If not, the pending ones have been sent when joinsPacket
// returns. Alone, pgx is better at rows that are read one by one, and as good in
// simple_protocol.
func (a *attempt) joinsPacket(ctx context.Context, s *wire.Statement) (bool, error) {
	if !a.pending() && (a.session == nil || s.Stream || a.session.Simple()) {
		return false, nil
	}
	if err := a.free(ctx); err != nil {
		return false, err
	}
	if err := a.connect(ctx, s); err != nil {
		return false, err
	}
	if a.session == nil || !a.session.CanPipeline(s.SQL, s.Args) {
		return false, a.flush(ctx)
	}
	if err := a.sendStandalone(ctx); err != nil {
		return false, err
	}
	return true, nil
}

// free refuses a statement that could not be sent, before anything is done for it, so
// that the function may continue.
func (a *attempt) free(ctx context.Context) error {
	switch {
	case a.open != nil, a.conn != nil && a.busy(): // its packet is still being read
		return errBusy
	case ctx.Err() != nil:
		return outcome.ContextError(ctx)
	}
	return nil
}

// endedError returns the misuse of a function that ended the transaction by a queued
// statement.
func (a *attempt) endedError() error {
	if a.ended == "" {
		return nil
	}
	return fmt.Errorf("txn: %w", a.misuse())
}

// launch sends the pending statements, and last after them, and reads all results but
// the last, where the packet is left. It returns nil if there is nothing to send.
func (a *attempt) launch(ctx context.Context, last *wire.Statement) (*wire.Packet, error) {
	if err := a.ready(ctx, last); err != nil {
		return nil, err
	}
	n := a.session.Count()
	if last != nil {
		n--
	} else if n == 0 {
		return nil, nil
	}
	return a.launchReady(ctx, n)
}

// launchReady sends the packet and reads the results of the first n statements.
func (a *attempt) launchReady(ctx context.Context, n int) (*wire.Packet, error) {
	p, err := a.session.Send(ctx, ctx)
	if s := a.session.First(); err != nil && s.Kind == wire.Answered { // alone
		a.observe("", "", err)
		return nil, err
	} else if err != nil {
		return nil, a.failedAhead(s, err)
	}
	for range n {
		s := p.Next()
		if _, err := p.Exec(); err != nil {
			_ = p.Close()
			if p.Unsent(err) {
				return nil, a.unsendable(a.session.Culprit(), err)
			}
			return nil, a.failedAhead(s, err)
		}
		a.answered(s)
	}
	return p, nil
}

// launchAll sends the packet and reads all results.
func (a *attempt) launchAll(ctx context.Context) error {
	p, err := a.launchReady(ctx, a.session.Count())
	if err != nil {
		return err
	}
	return a.finished(p)
}

// finished ends a packet whose results have all been read.
func (a *attempt) finished(p *wire.Packet) error {
	if p == nil {
		return nil
	}
	err := p.Close()
	a.observe("", "", err)
	if err != nil {
		return a.stop(err)
	}
	return nil
}

// answered processes the answer to a statement that was sent ahead.
func (a *attempt) answered(s *wire.Statement) {
	switch s.Kind {
	case wire.Begin:
		a.begun = true
	case wire.Claim:
		a.queue, a.claim.Answered = a.queue[1:], true
	case wire.Queued, wire.Savepoint, wire.Guard, wire.Record:
		a.queue = a.queue[1:]
	}
}

// failedAhead returns the error of a statement that was sent ahead of another. The
// function did not learn of it before, so it is the call's error, whatever the function
// does with it.
func (a *attempt) failedAhead(s *wire.Statement, err error) error {
	err = a.describeFailure(s, err)
	a.observe("", "", err)
	return a.stopBy(s, err)
}

// stopBy stops because of a queued statement. A statement refused only because the
// transaction had already failed is not the reason.
func (a *attempt) stopBy(s *wire.Statement, err error) error {
	if pe := pgerr.ServerError(err); pe != nil && pe.Code == pgerr.InFailedTransaction && a.failed != nil && pgerr.ServerError(a.failed) != pe {
		err = fmt.Errorf("%w (then: %w)", a.failed, err)
	}
	if a.broken == nil {
		a.brokenBy = s.Number
	}
	return a.stop(err)
}

// unsendable returns the error of a statement that cannot be encoded. Nothing of its
// packet was sent.
func (a *attempt) unsendable(s *wire.Statement, err error) error {
	if s.Kind == wire.Answered {
		return err
	}
	return a.stopBy(s, a.describeFailure(s, err))
}

// describeFailure names the failed statement if it is not the one that the function
// waits for.
func (a *attempt) describeFailure(s *wire.Statement, err error) error {
	if err == nil {
		return nil
	}
	switch s.Kind {
	case wire.Begin:
		return a.beginError(err)
	case wire.Set:
		return settingError(a.name(), s.About, err)
	case wire.Claim, wire.Guard:
		return a.claim.Error(prefix(a.name()), err, a.call.orphan != nil)
	case wire.Queued, wire.Record:
		return queuedError(s, err)
	case wire.Savepoint:
		return fmt.Errorf("%s: %s: %w", prefix(a.name()), s.SQL, err)
	}
	return err
}

// flush sends the pending statements alone.
func (a *attempt) flush(ctx context.Context) error {
	if !a.pending() {
		return nil
	}
	if err := a.free(ctx); err != nil {
		return err
	}
	if err := a.connect(ctx, nil); err != nil {
		return err
	}
	if a.session == nil {
		return a.flushOneByOne(ctx, len(a.queue))
	}
	if err := a.sendStandalone(ctx); err != nil {
		return err
	}
	f, err := a.launch(ctx, nil)
	if err != nil {
		return err
	}
	if err := a.finished(f); err != nil {
		return err
	}
	return a.endedError()
}

// flushForPgx is flush before an operation for which pgx prepares statements under
// names. If the server had wrong names in an earlier attempt, session and pgx first
// forget theirs, so that they agree.
func (a *attempt) flushForPgx(ctx context.Context) error {
	err := a.flush(ctx)
	if err != nil || a.conn == nil || a.call == nil || !a.call.nameless || a.forgot {
		return err
	}
	a.forgot = true
	err = a.conn.DeallocateAll(ctx)
	a.observe("", "", err)
	return err
}

// sendStandalone sends standalone queued statements, which cannot join a packet, and those
// before them.
func (a *attempt) sendStandalone(ctx context.Context) error {
	for i := len(a.queue) - 1; i >= 0; i-- {
		if s := &a.queue[i]; s.Kind == wire.Queued && !a.session.CanPipeline(s.SQL, s.Args) {
			standalone, rest := *s, slices.Clone(a.queue[i+1:])
			a.queue = a.queue[:i]
			err := a.flush(ctx)
			a.queue = append(a.queue, standalone)
			if err == nil {
				err = a.flushOneByOne(ctx, 1)
			}
			a.queue = append(a.queue, rest...)
			return err
		}
	}
	return nil
}

// flushOneByOne sends the first n queued statements through pgx.
func (a *attempt) flushOneByOne(ctx context.Context, n int) error {
	if !a.begun { // a standalone statement comes first
		rest := a.queue
		a.queue = nil
		err := a.flush(ctx)
		if a.queue = rest; err != nil {
			return err
		}
	}
	for range n {
		s := a.queue[0]
		a.queue = a.queue[1:]
		var err error
		if s.Into != nil && s.Rows {
			_, err = wire.Keep(s.Into, a.queryPlain(ctx, s.SQL, s.Args))
		} else {
			var tag pgconn.CommandTag
			if tag, err = a.execPlain(ctx, s.SQL, s.Args); s.Into != nil {
				s.Into.CommandTag = tag
			}
		}
		if err != nil {
			return a.stopBy(&s, a.describeFailure(&s, err))
		}
		if s.Kind == wire.Claim {
			a.claim.Answered = true
		}
		if err := a.endedError(); err != nil {
			return err
		}
	}
	return nil
}

// exec runs a statement whose result is a tag.
func (a *attempt) exec(ctx context.Context, sql string, args []any) (pgconn.CommandTag, error) {
	s := wire.Statement{Kind: wire.Answered, SQL: sql, Args: args}
	ride, err := a.joinsPacket(ctx, &s)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	if !ride {
		return a.execPlain(ctx, sql, args)
	}
	p, err := a.launch(ctx, &s)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := p.Exec()
	if closeErr := p.Close(); err == nil {
		err = closeErr
	}
	a.observe(sql, endedBy(tag.String()), err)
	return tag, err
}

// unnamed returns args for a statement that pgx sends in the transaction, without a
// name of its own if the server had a wrong one.
func (a *attempt) unnamed(args []any) []any {
	s := a.session
	if s == nil && a.conn != nil && a.call != nil && a.call.nameless {
		s = sessionOf(a.conn) // a wrapper passes the mode on
		s.WithoutNames()
	}
	if s == nil {
		return args
	}
	return s.Plain(args)
}

func (a *attempt) execPlain(ctx context.Context, sql string, args []any) (tag pgconn.CommandTag, err error) {
	if err := a.checkParameters(args); err != nil {
		return tag, err
	}
	a.sending(sql)
	a.touch(sql, args)
	if a.inner != nil {
		tag, err = a.inner.Exec(ctx, sql, a.unnamed(args)...)
	} else {
		tag, err = a.conn.Exec(ctx, sql, a.unnamed(args)...)
	}
	a.observe(sql, endedBy(tag.String()), err)
	return tag, err
}

// query runs a statement whose result is rows.
func (a *attempt) query(ctx context.Context, sql string, args []any) pgx.Rows {
	s := wire.Statement{Kind: wire.Answered, SQL: sql, Args: args, Rows: true, Stream: true}
	joins, err := a.joinsPacket(ctx, &s)
	if err != nil {
		return failedRows(err)
	}
	if !joins {
		return a.queryPlain(ctx, sql, args)
	}
	p, err := a.launch(ctx, &s)
	if err != nil {
		return failedRows(err)
	}
	inner, err := p.Rows()
	if err != nil {
		_ = a.rowsRead(p, sql, pgconn.CommandTag{}, err)
		return failedRows(err)
	}
	r := &rows{Rows: inner, at: a, sql: sql, packet: p}
	a.opened(r)
	return r
}

// rowsRead ends the packet of a query.
func (a *attempt) rowsRead(p *wire.Packet, sql string, tag pgconn.CommandTag, err error) error {
	err = p.RowsRead(tag, err)
	if closeErr := p.Close(); err == nil {
		err = closeErr
	}
	a.observe(sql, endedBy(tag.String()), err)
	return err
}

// queryRow runs a statement of whose result only the first row is read, if there is
// one.
func (a *attempt) queryRow(ctx context.Context, sql string, args []any) pgx.Row {
	s := wire.Statement{Kind: wire.Answered, SQL: sql, Args: args, Rows: true}
	joins, err := a.joinsPacket(ctx, &s)
	if err != nil {
		return failedRows(err)
	}
	switch {
	case !joins && a.session == nil: // a wrapper's rows may know their values only by Scan
		return row{a.queryPlain(ctx, sql, args)}
	case !joins:
		r := &bufferedRow{at: a, types: a.conn.TypeMap()}
		r.err = r.ReadFrom(a.queryPlain(ctx, sql, args))
		return r
	}
	p, err := a.launch(ctx, &s)
	if err != nil {
		return failedRows(err)
	}
	r := &bufferedRow{at: a, types: a.conn.TypeMap()}
	tag, err := p.Row(&r.Row)
	if closeErr := p.Close(); err == nil {
		err = closeErr
	}
	a.observe(sql, endedBy(tag.String()), err)
	r.err = err
	return r
}

func (a *attempt) queryPlain(ctx context.Context, sql string, args []any) pgx.Rows {
	if err := a.checkParameters(args); err != nil {
		return failedRows(err)
	}
	a.sending(sql)
	a.touch(sql, args)
	var inner pgx.Rows
	var err error
	if a.inner != nil {
		inner, err = a.inner.Query(ctx, sql, a.unnamed(args)...)
	} else {
		inner, err = a.conn.Query(ctx, sql, a.unnamed(args)...)
	}
	if err != nil {
		a.observe(sql, "", err)
		return failedRows(err)
	}
	r := &rows{Rows: inner, at: a, sql: sql}
	a.opened(r)
	return r
}
