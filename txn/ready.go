package txn

import (
	"context"
	"fmt"
	"slices"

	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
	"github.com/rowkeeper/rowkeeper/txn/internal/sqltext"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// ready prepares all pending statements, and last after them, for sending.
func (a *attempt) ready(ctx context.Context, last *wire.Statement) ([]wire.Statement, error) {
	for i := range a.queue {
		if err := a.rewrite(ctx, &a.queue[i]); err != nil {
			return nil, a.unsendable(&a.queue[i], err)
		}
	}
	if last != nil {
		if err := a.rewrite(ctx, last); err != nil {
			return nil, a.unsendable(last, err)
		}
	}
	statements, err := a.readyDescribed(ctx, last)
	e, unencoded := err.(*encodeError)
	if unencoded && e.mayBeMisdescribed {
		a.session.Redescribe(e.statement.SQL)
		a.careful = true
		statements, err = a.readyDescribed(ctx, last)
		e, unencoded = err.(*encodeError)
	}
	if unencoded {
		return nil, a.unsendable(e.statement, e.err)
	}
	return statements, err
}

// readyDescribed is ready for rewritten statements. If a statement must be described,
// savepoints and statements that may change what it sees are executed first: describing
// can fail, and a savepoint undoes that; a table may have been created or locked, or
// the search path changed.
func (a *attempt) readyDescribed(ctx context.Context, last *wire.Statement) ([]wire.Statement, error) {
	for n := a.ahead(last); n > 0; n = a.ahead(last) {
		rest := slices.Clone(a.queue[n:])
		a.queue = a.queue[:n]
		statements, err := a.prepare(ctx, nil)
		var f *wire.Packet
		if err == nil {
			f, err = a.launchReady(ctx, statements, len(statements))
		}
		if err == nil {
			err = a.finished(f)
		}
		a.queue = append(a.queue, rest...)
		if err != nil {
			return nil, err
		}
	}
	return a.prepare(ctx, last)
}

// ahead returns how many queued statements must be executed before those after them are
// described.
func (a *attempt) ahead(last *wire.Statement) (n int) {
	for i := range a.queue {
		s := &a.queue[i]
		if n > 0 && a.session.Undescribed(s) {
			return n
		}
		if s.Kind == wire.Savepoint || s.Kind == wire.Queued && !sqltext.IsInnocent(s.SQL) || a.careful {
			n = i + 1
		}
	}
	if last == nil || !a.session.Undescribed(last) {
		return 0
	}
	return n
}

// rewrite turns a statement into the one to be sent.
func (a *attempt) rewrite(ctx context.Context, s *wire.Statement) error {
	if rewritten, err := a.session.Rewrite(ctx, s); err != nil {
		return err
	} else if what := ""; rewritten {
		if what = sqltext.Control(s.SQL); what != "" {
			return fmt.Errorf("%w; the query was rewritten to %s", errNotYours, what)
		}
	}
	return a.checkParameters(s.Args)
}

// prepare makes statements ready. If one must be described, BEGIN is sent ahead with
// the request.
func (a *attempt) prepare(ctx context.Context, last *wire.Statement) ([]wire.Statement, error) {
	a.sending("")
	statements := a.session.Statements()
	if !a.begun {
		statements = append(statements, a.call.firstAfter(a.call.orphan)...)
	}
	ahead := len(statements)
	statements = append(statements, a.queue...)
	if last != nil {
		statements = append(statements, *last)
	}
	if a.session.Collected(statements) {
		begun, i, err := a.session.Describe(ctx, ahead, statements)
		a.begun = a.begun || begun && (err == nil || i >= ahead)
		if err != nil {
			return nil, a.undescribable(&statements[i], i > ahead, err)
		}
		statements, ahead = statements[ahead:], 0
	}
	a.touch(statements)
	if i, err := a.session.Encode(statements); err != nil {
		e := &encodeError{statement: &statements[i], err: err}
		e.mayBeMisdescribed = e.statement.Described() && (!e.statement.Fresh || i > ahead)
		return nil, e
	}
	return statements, nil
}

// undescribable returns the error of a statement that the server did not describe.
func (a *attempt) undescribable(s *wire.Statement, notFirst bool, err error) error {
	if notFirst {
		err = outcome.SuspectDescription(err)
	}
	if s.Kind != wire.Answered {
		return a.failedAhead(s, err)
	}
	// Queued statements are undone with it: by a savepoint, which was sent before, or by
	// the end.
	a.queue = a.queue[:0]
	a.observe("", "", err)
	return err
}
