package txn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// RunInTx runs fn in a transaction, commits it, and returns fn's result. If the
// database reports a conflict (SQLSTATE 40001, 40P01, or 40003 before COMMIT), or the
// connection is lost before COMMIT, the transaction is rolled back and fn runs again in
// a new one: the first time at once, then after a random wait ([Backoff]), until
// [MaxElapsed], [MaxAttempts] or the context ends the call. So fn must have no effect
// outside the transaction that matters twice; use [Tx.OnCommit] for those.
//
// A result is returned only after a known commit. Any error means that nothing was
// committed, except [*OutcomeUnknownError] and [*CommittedError]. An error of fn is
// returned unchanged, unless a conflict is the reason to run fn again; then it does not
// matter whether fn wrapped, hid or ignored the conflict. [ReadOnly] wraps the error of a
// write. If fn ignores the error of a statement, the transaction cannot commit, as the
// server has rolled back: the call returns that error, or runs fn again if it was a
// conflict. [*ExhaustedError] is returned if attempts or time are used up. A panic of fn
// rolls back and continues.
//
// Only errors of this transaction's own connection count. If fn returns a conflict of
// another connection, it is returned and nothing runs again. If fn itself made another
// call, on another database for example, and returns that call's error, errors.As finds
// the facts of that other call.
//
// Nothing is sent before the first statement of fn, and BEGIN travels with that
// statement. A function that sends nothing takes no connection. In its first statement
// the call waits for a permit if transactions that begin in the same way conflict (see
// [NoAdmission]); if none comes before the deadline it returns a [*BusyError]. Errors
// of taking a connection or of BEGIN come from that statement.
//
// The context given to fn ends with ctx and when the run is over. Pass it to whatever fn
// calls, and name it ctx too, so that fn cannot use the outer one by mistake: a call on
// the pool inside fn, which would not be part of the transaction, is refused if it has
// that context or one derived from it. With the caller's own ctx, or that of an HTTP
// request, it cannot be told from a call of another goroutine. It is not refused, nor
// does [GuardPool] see it: it commits by itself, even if fn fails afterwards.
//
// If ctx is done before the call, fn does not run. If it is done before COMMIT is sent,
// the transaction is rolled back. A COMMIT that has been sent is waited for, at most two
// seconds longer.
//
// If db is a pgx.Tx or a *[Tx], the call joins that transaction: fn runs in a
// savepoint, an error of fn undoes only what fn did, and a conflict is passed to the
// call that began the transaction, which alone can run it again. Until that call
// commits, the result of a joined call is provisional.
//
// # Outcomes
//
// docs/outcomes.md of the repository lists what each error means. If a connection is
// lost in the middle of a transaction, the orphaned session may still hold its locks:
// on PostgreSQL the next attempt terminates it, if it runs as the same user, and waits
// at most one second for a lock. If there is no server, on a pool that has had one, the
// first statement asks again for up to two seconds, and fn does not run again for that.
//
// A COMMIT that waits for a synchronous standby is not canceled. Leave
// client_min_messages at warning or below, or the server does not report that somebody
// else cut the wait short. docs/failover.md covers standbys and failovers.
func RunInTx[T any](ctx context.Context, db DB, fn func(ctx context.Context, tx *Tx) (T, error), opts ...Option) (T, error) {
	var result, zero T
	if fn == nil {
		return zero, errNoFunction
	}
	committed, err := run(ctx, db, opts, &result, func(ctx context.Context, tx *Tx) (err error) {
		result, err = fn(ctx, tx)
		return err
	})
	if !committed {
		return zero, err
	}
	return result, err
}

// Run is [RunInTx] for a function without a result. Inside fn use the context that fn is
// given: a call on the pool with another one commits by itself, unseen.
func Run(ctx context.Context, db DB, fn func(ctx context.Context, tx *Tx) error, opts ...Option) error {
	if fn == nil {
		return errNoFunction
	}
	_, err := run(ctx, db, opts, nil, fn)
	return err
}

var errNoFunction = errors.New("txn: the function is nil")

type body func(ctx context.Context, tx *Tx) error

// run reports whether the function's result is valid: committed, or kept by the
// savepoint of a joined call. result points to the function's result, or is nil.
func run(ctx context.Context, db DB, opts []Option, result any, fn body) (bool, error) {
	db, cfg, err := resolve(db, opts)
	if err != nil {
		return false, err
	}
	return runOn(ctx, db, cfg, result, fn, nil)
}

// runOn is run with the database and options that resolve returned. It calls finished,
// while the connection is still held, once a call that does not join is known to have
// committed.
func runOn(ctx context.Context, db DB, cfg *config, result any, fn body, finished func(*pgtype.Map) error) (bool, error) {
	if ctx.Err() != nil {
		return false, fmt.Errorf("%s: not begun: %w", prefix(cfg.name), outcome.ContextError(ctx))
	}
	if tx, ok := txOf(db); ok {
		if err := cfg.joinable(); err != nil {
			return false, err
		}
		err := join(ctx, tx, cfg.name, fn)
		return err == nil, err
	}
	if err := cfg.onceable(cfg.name, result); err != nil {
		return false, err
	}
	if !cfg.requiresNew {
		if err := checkNested(ctx, db, cfg.name); err != nil {
			return false, err
		}
	}
	if err := checkOwned(db, cfg.name); err != nil {
		return false, err
	}
	c := call{config: cfg, work: work{fn, result, finished}, db: db, direct: routeOf(db) == direct, start: time.Now()}
	if cfg.once != nil {
		c.claims = new(claims)
	}
	return c.run(ctx)
}

// call is one outermost call of RunInTx.
type call struct {
	*config
	work
	db        DB
	direct    bool // statements are sent by this package
	start     time.Time
	number    int                     // of the attempt
	known     bool                    // committed
	hooks     []func(context.Context) // of the attempt that was committed
	uncertain error                   // of an attempt that may have been committed
	orphan    *orphan
	retries
	claims  *claims // nil without Once
	sources sources
	running *running // parent of the function's context, or that context
	queuing queuing
}

// work is what the caller wants done.
type work struct {
	fn       body
	result   any                     // points to the function's result; nil if there is none
	finished func(*pgtype.Map) error // called, while the connection is held, once fn is known to have committed; may be nil
}

func (c *call) run(ctx context.Context) (committed bool, err error) {
	caller := ctx
	if t := c.tracer; t != nil {
		ctx = t.TraceCallStart(ctx, trace.CallStart{Name: c.name})
	}
	attempts := 0
	// Deferred separately, so that a panic in one, or in earlier code, does not keep
	// the others from running. A committed transaction always runs its hooks.
	defer func() {
		if len(c.hooks) > 0 {
			runHooks(context.WithoutCancel(caller), c.name, c.hooks)
		}
	}()
	defer func() { c.traceCallEnd(ctx, attempts, committed, err) }()
	committed, attempts, err = c.loop(ctx)
	return committed, err
}

func (c *call) loop(ctx context.Context) (committed bool, attempts int, err error) {
	if c.once != nil { // which also waits between attempts; others are bounded in these
		var cancel context.CancelFunc
		ctx, cancel = c.bounded(ctx)
		defer cancel()
	}
	r := c.runningOn(ctx)
	defer r.over.Store(true)
	release, err := c.hold(r)
	if err != nil {
		return false, 0, err
	}
	defer func() { release(c.known) }()
	var last error // conflict
	for n := 1; ; n++ {
		res := c.attempt(r, n)
		if !res.restart {
			if c.canBurnKey(ctx, res.unknown) {
				committed, err := c.burnKey(r, n, c.claims.finalError)
				return committed, n, err
			}
			if last != nil && !res.committed && !res.unknown && res.late {
				res.err = &ExhaustedError{Name: c.name, Attempts: n, Elapsed: time.Since(c.start), Err: fmt.Errorf("%w (after: %w)", last, res.err)}
			}
			return res.committed, n, res.err
		}
		last = res.err
		if err := c.wait(ctx, n, res.err); err != nil {
			if c.canBurnKey(ctx, c.uncertain != nil) {
				committed, err := c.burnKey(r, n, err)
				return committed, n, err
			}
			return false, n, c.orUnknown(n, err)
		}
	}
}

// bounded returns ctx with the end that MaxElapsed sets, unless it has one.
func (c *call) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, c.start.Add(c.elapsed.after), c.elapsed)
}

// elapsedError is the cause with which MaxElapsed ends a context that has no deadline.
type elapsedError struct{ after time.Duration }

func (e *elapsedError) Error() string {
	return fmt.Sprintf("MaxElapsed of %v is over: %v", e.after, context.DeadlineExceeded)
}
func (e *elapsedError) Unwrap() error { return context.DeadlineExceeded }

// result is the outcome of an attempt.
type result struct {
	committed bool
	restart   bool  // rolled back, and err is a reason to run again
	unknown   bool  // err is an OutcomeUnknownError of this call
	late      bool  // MaxElapsed has ended it
	err       error // why it was not committed, or what failed besides
}

// attempt runs the function once.
func (c *call) attempt(ctx context.Context, number int) (res result) {
	if t := c.tracer; t != nil {
		ctx = t.TraceAttemptStart(ctx, trace.AttemptStart{Name: c.name, Attempt: number})
	}
	at := newAttempt(c, ctx, number)
	c.number = number
	finished, mine := false, false
	defer func() { c.traceAttemptEnd(ctx, number, res) }()
	defer at.cancel()
	defer func() {
		if finished {
			if mine {
				defer at.give(ctx)
				c.noteOrphan(at)
			}
			return
		}
		// A panic, or runtime.Goexit. Each step is deferred separately, so that a panic
		// in one does not keep the others from running.
		res.committed = c.known
		if mine || at.closeGate() {
			defer at.give(ctx)
			defer c.noteOrphan(at)
			defer at.rollback(ctx)
			at.settle(false)
		}
	}()
	tx := &at.tx
	tx.at, tx.share = at, &at.share
	err := c.fn(at.ctx, tx)
	if mine = at.closeGate(); !mine {
		finished = true
		return result{unknown: c.uncertain != nil, err: c.orUnknown(number, stillUsed(c.name, err))}
	}
	err = tx.share.verdict(c.name, err)
	at.settle(err == nil && at.ctx.Err() == nil)
	at.look()
	switch {
	case at.interrupted:
		res = c.interrupted(ctx, at, err)
	case err == nil && at.ended == "" && at.ctx.Err() == nil && at.healthy():
		res = c.commit(at.ctx, at)
	default:
		res = c.abandon(at.ctx, at, err)
	}
	res.late = context.Cause(at.ctx) == error(c.elapsed)
	finished = true
	return res
}

// interrupted ends an attempt that a goroutine of the function was still using when the
// function returned.
func (c *call) interrupted(ctx context.Context, at *attempt, returned error) result {
	at.rollback(ctx)
	if outcome.Conflict(at.failed) != nil && ctx.Err() == nil && c.allows(outcome.Always, at.failed, at, true) {
		return result{restart: true, err: at.failed}
	}
	return c.discarded(at, stillUsed(c.name, returned))
}

func stillUsed(name string, returned error) error {
	if returned != nil {
		return returned
	}
	return fmt.Errorf("%s: rolled back: %w", prefix(name), errStillUsed)
}

func (c *call) noteOrphan(at *attempt) {
	if g := at.orphanLeft(); g != nil {
		c.orphan = g
	}
}
