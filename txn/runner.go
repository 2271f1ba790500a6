package txn

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Runner is a database together with options. It is a [DB], so it can replace the
// database: RunInTx(ctx, runner, …).
type Runner struct {
	db     DB
	config *config
	err    error // why it is invalid, returned by every call
}

// New returns a Runner that applies opts to every call made with it. An invalid db or
// option is reported by the first call. A Runner made from a Runner has the options of
// both; the later ones win.
func New(db DB, opts ...Option) *Runner {
	r := new(Runner)
	r.db, r.config, r.err = resolve(db, opts)
	if r.err == nil && r.config.once != nil {
		r.err = errors.New("txn: Once in the options of a Runner, all of whose calls would be the same one: give it to the call")
	}
	return r
}

// Begin begins a plain transaction, with the isolation level and access mode of the
// options. The caller commits or rolls it back, and nothing is retried. It allows
// passing a Runner to code that begins transactions itself.
func (r *Runner) Begin(ctx context.Context) (pgx.Tx, error) {
	if r == nil || r.db == nil && r.err == nil {
		return nil, errNilDB
	}
	if r.err != nil {
		return nil, r.err
	}
	if tx, ok := txOf(r.db); ok {
		if err := r.config.joinable(); err != nil {
			return nil, err
		}
		return tx.Begin(ctx)
	}
	if len(r.config.first) > 1 {
		return nil, errors.New("txn: Begin of a Runner with Timeouts or Setting: they are sent with the first statement of a function; use RunInTx")
	}
	b, ok := r.db.(beginner)
	if !ok {
		return nil, noBeginTx(r.db)
	}
	return b.BeginTx(ctx, r.config.txOptions())
}
