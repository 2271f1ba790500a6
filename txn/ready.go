package txn

import (
	"context"
	"errors"
	"slices"
)

// ready makes everything that is pending, and last behind it, ready to be sent.
// Where something has to be described, savepoints and what may change what is
// seen are sent first: describing can fail, and a savepoint is what that is
// undone by; a table may have been created or locked, or the search path changed.
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
	for a.undescribed(last) {
		m := slices.IndexFunc(a.queue, func(s statement) bool { return s.kind == marks || !isData(s.sql) })
		if m < 0 {
			break
		}
		rest := slices.Clone(a.queue[m+1:])
		a.queue = a.queue[:m+1]
		statements, err := a.prepare(ctx, nil)
		var f *flight
		if err == nil {
			f, err = a.launchReady(ctx, statements, len(statements))
		}
		if err == nil {
			err = a.landed(f)
		}
		a.queue = append(a.queue, rest...)
		if err != nil {
			return nil, err
		}
	}
	return a.prepare(ctx, last)
}

// rewrite makes of a statement what is to be sent.
func (a *attempt) rewrite(ctx context.Context, s *statement) error {
	if err := a.link.rewrite(ctx, s); err != nil {
		return err
	}
	return a.checkParameters(s.args)
}

// prepare makes statements ready. Where one has to be described, BEGIN goes
// ahead with that.
func (a *attempt) prepare(ctx context.Context, last *statement) ([]statement, error) {
	a.sending("")
	statements := a.link.statements[:0]
	if !a.begun {
		statements = append(statements, a.call.firstAfter(a.call.ghost)...)
	}
	ahead := len(statements)
	statements = append(statements, a.queue...)
	if last != nil {
		statements = append(statements, *last)
	}
	a.link.statements = statements
	unknown := false
	for i := ahead; i < len(statements); i++ {
		if s := &statements[i]; a.link.needsDescription(s) {
			s.described = a.link.described.get(s.sql)
			unknown = unknown || s.described == nil
		}
	}
	if unknown {
		begun, i, err := a.link.describe(ctx, ahead, statements)
		a.begun = a.begun || begun && (err == nil || i >= ahead)
		if err != nil {
			if s := &statements[i]; s.kind != answered {
				return nil, a.failedAhead(s, err)
			}
			// What was queued is undone with it: by a savepoint, which was sent
			// before, or by the end.
			a.queue = a.queue[:0]
			a.observe("", "", err)
			return nil, err
		}
		statements = statements[ahead:]
	}
	a.link.nameBeginAndCommit(statements)
	a.follow(statements)
	if err := a.link.encode(statements); err != nil {
		var e *encodeError
		if errors.As(err, &e) {
			return nil, a.unsendable(&statements[e.index], e.err)
		}
		return nil, err
	}
	return statements, nil
}
