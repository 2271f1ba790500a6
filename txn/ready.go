package txn

import (
	"context"
	"fmt"
	"slices"

	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
	"github.com/rowkeeper/rowkeeper/txn/internal/sqltext"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// ready makes a packet of all pending statements, and last after them.
func (a *attempt) ready(ctx context.Context, last *wire.Statement) error {
	for i := range a.queue {
		if err := a.rewrite(ctx, &a.queue[i]); err != nil {
			return a.unsendable(&a.queue[i], err)
		}
	}
	if last != nil {
		if err := a.rewrite(ctx, last); err != nil {
			return a.unsendable(last, err)
		}
	}
	err := a.readyDescribed(ctx, last)
	e, unencoded := err.(*wire.EncodeError)
	if unencoded && e.MayBeMisdescribed {
		a.session.Redescribe(e.Statement.SQL)
		a.careful = true
		err = a.readyDescribed(ctx, last)
		e, unencoded = err.(*wire.EncodeError)
	}
	if unencoded {
		return a.unsendable(e.Statement, e.Err)
	}
	return err
}

// readyDescribed is ready for rewritten statements. If a statement must be described,
// savepoints and statements that may change what it sees are executed first: describing
// can fail, and a savepoint undoes that; a table may have been created or locked, or
// the search path changed.
func (a *attempt) readyDescribed(ctx context.Context, last *wire.Statement) error {
	for n := a.ahead(last); n > 0; n = a.ahead(last) {
		rest := slices.Clone(a.queue[n:])
		a.queue = a.queue[:n]
		err := a.prepare(ctx, nil)
		if err == nil {
			err = a.launchAll(ctx)
		}
		a.queue = append(a.queue, rest...)
		if err != nil {
			return err
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

// prepare makes a packet. If a statement must be described, BEGIN is sent ahead with the
// request.
func (a *attempt) prepare(ctx context.Context, last *wire.Statement) error {
	a.sending("")
	var first []wire.Statement
	if !a.begun {
		first = a.call.firstAfter(a.call.orphan)
	}
	if a.session.Collect(first, a.queue, last) {
		begun, i, err := a.session.Describe(ctx, len(first))
		a.begun = a.begun || begun && (err == nil || i >= len(first))
		if err != nil {
			return a.undescribable(a.session.At(i), i > len(first), err)
		}
	}
	if a.touches() {
		for s := range a.session.Collected() {
			if s.Kind == wire.Queued || s.Kind == wire.Answered {
				a.touch(s.SQL, s.Args)
			}
		}
	}
	return a.session.Encode(len(first))
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
