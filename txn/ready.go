package txn

import (
	"context"
	"errors"
	"slices"

	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
	"github.com/rowkeeper/rowkeeper/txn/internal/sqltext"
)

// ready prepares all pending statements, and last after them, for sending.
func (a *attempt) ready(ctx context.Context, last *statement) ([]statement, error) {
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
	var e *encodeError
	if errors.As(err, &e) && e.mayBeMisdescribed {
		a.session.described.drop(e.statement.sql)
		a.careful = true
		statements, err = a.readyDescribed(ctx, last)
	}
	if errors.As(err, &e) {
		return nil, a.unsendable(e.statement, e.err)
	}
	return statements, err
}

// readyDescribed is ready for rewritten statements. If a statement must be described,
// savepoints and statements that may change what it sees are executed first: describing
// can fail, and a savepoint undoes that; a table may have been created or locked, or
// the search path changed.
func (a *attempt) readyDescribed(ctx context.Context, last *statement) ([]statement, error) {
	for n := a.ahead(last); n > 0; n = a.ahead(last) {
		rest := slices.Clone(a.queue[n:])
		a.queue = a.queue[:n]
		statements, err := a.prepare(ctx, nil)
		var f *packet
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
func (a *attempt) ahead(last *statement) (n int) {
	for i := range a.queue {
		s := &a.queue[i]
		if n > 0 && a.undescribed(s) {
			return n
		}
		if s.kind == marks || s.kind == queued && !sqltext.IsInnocent(s.sql) || a.careful {
			n = i + 1
		}
	}
	if last == nil || !a.undescribed(last) {
		return 0
	}
	return n
}

func (a *attempt) undescribed(s *statement) bool {
	return a.session.needsDescription(s) && a.session.described.get(s.sql) == nil
}

// rewrite turns a statement into the one to be sent.
func (a *attempt) rewrite(ctx context.Context, s *statement) error {
	if err := a.session.rewrite(ctx, s); err != nil {
		return err
	}
	return a.checkParameters(s.args)
}

// prepare makes statements ready. If one must be described, BEGIN is sent ahead with
// the request.
func (a *attempt) prepare(ctx context.Context, last *statement) ([]statement, error) {
	a.sending("")
	statements := a.session.statements[:0]
	if !a.begun {
		statements = append(statements, a.call.firstAfter(a.call.orphan)...)
	}
	ahead := len(statements)
	statements = append(statements, a.queue...)
	if last != nil {
		statements = append(statements, *last)
	}
	a.session.statements = statements
	unknown := false
	for i := ahead; i < len(statements); i++ {
		if s := &statements[i]; a.session.needsDescription(s) {
			s.described = a.session.described.get(s.sql)
			s.fresh = s.described == nil
			unknown = unknown || s.fresh
		}
	}
	if unknown {
		begun, i, err := a.session.describe(ctx, ahead, statements)
		a.begun = a.begun || begun && (err == nil || i >= ahead)
		if err != nil {
			if i > ahead {
				err = outcome.SuspectDescription(err)
			}
			if s := &statements[i]; s.kind != answered {
				return nil, a.failedAhead(s, err)
			}
			// Queued statements are undone with it: by a savepoint, which was sent
			// before, or by the end.
			a.queue = a.queue[:0]
			a.observe("", "", err)
			return nil, err
		}
		statements, ahead = statements[ahead:], 0
	}
	a.session.nameBeginAndCommit(statements)
	a.touch(statements)
	if i, err := a.session.encode(statements); err != nil {
		e := &encodeError{statement: &statements[i], err: err}
		e.mayBeMisdescribed = e.statement.described != nil && (!e.statement.fresh || i > ahead)
		return nil, e
	}
	return statements, nil
}
