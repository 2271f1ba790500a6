package txn

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// commit sends the pending statements and COMMIT in one packet, and returns what came
// back. Once COMMIT is on the wire its answer is awaited for a grace, even if ctx ends.
func (a *attempt) commit(ctx context.Context) outcome.Evidence {
	if !a.direct {
		return a.commitInner(ctx)
	}
	if err := a.connect(ctx, nil); err != nil {
		return a.evidence(err)
	}
	if err := a.sendStandalone(ctx); err != nil || a.ended != "" {
		return a.evidence(err)
	}
	return a.commitPacket(ctx)
}

func (a *attempt) commitPacket(ctx context.Context) (e outcome.Evidence) {
	commit := wire.CommitStatement
	if err := a.ready(ctx, &commit); err != nil {
		return a.evidence(err)
	}
	if ctx.Err() != nil {
		return a.evidence(outcome.ContextError(ctx))
	}
	if a.lost() { // pgx reports the same for a connection lost after the packet
		return a.evidence(pgconn.ErrConnClosed)
	}
	a.unwatch()
	g := a.session.WatchCommit(ctx, a.session.Count() > 1)
	finished := false
	defer func() {
		if hit := g.End(); !finished || hit && !canceled(e.Err) {
			a.shut(ctx) // otherwise its next user is canceled, or reads the rest
		}
	}()
	e = a.sendCommit(ctx, g)
	finished = true // not ended by a panic in a tracer, or runtime.Goexit
	return e
}

// shut closes the connection even if ctx has ended.
func (a *attempt) shut(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackGrace)
	defer cancel()
	_ = a.conn.Close(ctx) // closed either way
}

func canceled(err error) bool {
	pe := pgerr.ServerError(err)
	return pe != nil && pe.Code == pgerr.QueryCanceled
}

func (a *attempt) sendCommit(ctx context.Context, g *wire.Watchdog) outcome.Evidence {
	p, err := a.session.Send(context.Background(), ctx)
	if err != nil {
		err = a.describeFailure(a.session.First(), err)
		a.observe("", "", err)
		e := a.evidence(err)
		e.Phase, e.CommitSent = outcome.Commit, true
		return e
	}
	defer p.Close()
	for {
		s := p.Next()
		tag, err := p.Exec()
		if err == nil && s.Kind != wire.Commit {
			a.answered(s)
			if p.Left() == 1 {
				g.AtCommit()
			}
			continue
		}
		_ = p.Close()
		if p.Unsent(err) {
			return a.evidence(a.describeFailure(a.session.Culprit(), err))
		}
		if pgerr.ServerError(err) != nil {
			a.noteWrite(err)
			err = a.describeFailure(s, err)
		}
		e := a.evidence(err)
		e.Phase, e.CommitSent = s.Kind.Phase(), true
		switch {
		case s.Kind == wire.Commit:
			e.Tag = tag.String()
			if warning, cut := p.Cut(); cut != nil {
				e.Cut, e.Err = warning, errors.Join(cut, err)
			}
		case err != nil:
			if p.CommittedNothing() {
				e.CommitSent = false // the transaction has ended
			} else {
				a.observe("", "", err)
			}
		}
		return e
	}
}

func (a *attempt) commitInner(ctx context.Context) outcome.Evidence {
	if err := a.flush(ctx); err != nil || a.ended != "" {
		return a.evidence(err)
	}
	if ctx.Err() != nil {
		return a.evidence(outcome.ContextError(ctx))
	}
	out, stop := withGrace(ctx, wire.CommitGrace)
	defer stop()
	err := a.inner.Commit(out)
	// The connection may belong to somebody else by now, so it is not inspected.
	e := outcome.Evidence{Phase: outcome.Commit, CommitSent: true, Err: err, Cockroach: a.cockroach}
	if err == nil {
		e.Tag = "COMMIT"
	}
	return e
}
