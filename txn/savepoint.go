package txn

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// savepoint is a point to which a transaction can go back.
type savepoint struct {
	name  string
	inner pgx.Tx // of a transaction that pgx or a wrapper began
	hooks int    // number of hooks at the savepoint
	after int32  // the number of the last statement queued before it
	kept  bool   // Commit has failed, so Rollback still undoes it
}

func (a *attempt) mark(ctx context.Context) (*savepoint, error) {
	if !a.direct {
		return a.markInner(ctx)
	}
	if err := a.aborted(ctx); err != nil {
		return nil, err
	}
	a.savepoints++
	sp := &savepoint{name: "rowkeeper_" + strconv.Itoa(int(a.savepoints)), hooks: len(a.hooks), after: a.enqueued}
	a.queue = append(a.queue, wire.Statement{Kind: wire.Savepoint, SQL: "savepoint " + sp.name})
	return sp, nil
}

func (a *attempt) markInner(ctx context.Context) (*savepoint, error) {
	if err := a.flush(ctx); err != nil {
		return nil, err
	}
	inner, err := a.inner.Begin(ctx)
	a.observe("", "", err)
	if err != nil {
		return nil, err
	}
	return &savepoint{inner: inner, hooks: len(a.hooks), after: a.enqueued}, nil
}

// aborted returns the server's error if it refuses every statement until the
// transaction, or a savepoint, is rolled back. SAVEPOINT and RELEASE, which are sent
// later, would learn of it too late. A wrapper that hides its connection has to ask the
// server.
func (a *attempt) aborted(ctx context.Context) error {
	var err error
	switch {
	case a.conn == nil && a.inner != nil && a.failed != nil:
		_, err = a.inner.Exec(ctx, "select 1")
	case a.begun && a.conn != nil && !a.lost() && !a.busy() && a.status() == statusFailed:
		_, err = a.conn.Exec(ctx, "select 1")
	default:
		return nil
	}
	a.observe("", "", err)
	if pe := pgerr.ServerError(err); pe != nil && pe.Code == pgerr.InFailedTransaction && a.failed != nil {
		return fmt.Errorf("%w (because of: %w)", err, a.failed)
	}
	return err
}

// unsent returns the index of the savepoint in the queue, or -1.
func (a *attempt) unsent(sp *savepoint) int {
	return slices.IndexFunc(a.queue, func(s wire.Statement) bool { return s.SQL == "savepoint "+sp.name })
}

// releaseMark releases a savepoint. Writes queued since are sent with it, because
// whoever made the savepoint undoes their errors with it.
func (a *attempt) releaseMark(ctx context.Context, sp *savepoint) error {
	if sp.inner != nil {
		if err := a.flush(ctx); err != nil {
			return err
		}
		if err := a.aborted(ctx); err != nil {
			return err // after pgx's Commit it could not be undone
		}
		err := sp.inner.Commit(ctx)
		a.observe("", "", err)
		return err
	}
	i := a.unsent(sp)
	if i == len(a.queue)-1 && i >= 0 {
		a.queue = a.queue[:i] // nothing came after it
		return nil
	}
	if err := a.aborted(ctx); err != nil {
		return err
	}
	wrote := slices.ContainsFunc(a.queue[max(i, 0):], func(s wire.Statement) bool { return s.Kind == wire.Queued })
	a.queue = append(a.queue, wire.Statement{Kind: wire.Savepoint, SQL: "release savepoint " + sp.name})
	if !wrote {
		return nil
	}
	return a.flush(ctx)
}

// undoMark goes back to a savepoint, and drops the statements queued since. If one of
// these broke the attempt, the attempt is usable again.
func (a *attempt) undoMark(ctx context.Context, sp *savepoint) error {
	a.hooks = a.hooks[:min(sp.hooks, len(a.hooks))]
	if a.broken != nil && a.brokenBy <= sp.after {
		return a.broken
	}
	i := -1
	if sp.inner == nil {
		i = a.unsent(sp)
	}
	a.queue = a.queue[:max(i, 0)]
	var err error
	switch {
	case i >= 0: // nothing to undo
	case sp.inner != nil:
		if err = sp.inner.Rollback(ctx); err == nil {
			a.failed = nil
		}
		a.observe("", "", err)
	default:
		_, err = a.execPlain(ctx, "rollback to savepoint "+sp.name, nil)
	}
	if err == nil {
		a.broken = nil
	}
	return err
}

// trim drops the savepoints at the end of the queue: COMMIT releases them.
func (a *attempt) trim() {
	for n := len(a.queue); n > 0 && a.queue[n-1].Kind == wire.Savepoint; n-- {
		a.queue = a.queue[:n-1]
	}
}
