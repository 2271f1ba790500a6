package txn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/txntest"
)

// tenant is a pool whose transactions begin with a statement of its own, for example to
// set a tenant for row-level policies.
type tenant struct {
	*pgxpool.Pool
	row int
}

func (p *tenant) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	tx, err := p.Pool.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "insert into accounts values ($1, 1)", p.row); err != nil {
		return nil, errors.Join(err, tx.Rollback(ctx))
	}
	return tx, nil
}

// tenantEverywhere overrides Begin too.
type tenantEverywhere struct{ *tenant }

func (p tenantEverywhere) Begin(ctx context.Context) (pgx.Tx, error) {
	return p.BeginTx(ctx, pgx.TxOptions{})
}

// tenantOfConn sets the tenant when it takes a connection.
type tenantOfConn struct {
	*pgxpool.Pool
	acquired *int
}

func (p tenantOfConn) Acquire(ctx context.Context) (*pgxpool.Conn, error) {
	*p.acquired++
	return p.Pool.Acquire(ctx)
}

func TestStructThatOverridesBeginTxBeginsByIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		ctx := t.Context()
		row := 1000
		for name, wrap := range map[string]func(*tenant) txn.DB{
			"itself":        func(p *tenant) txn.DB { return p },
			"embedded":      func(p *tenant) txn.DB { return struct{ *tenant }{p} },
			"Begin too":     func(p *tenant) txn.DB { return tenantEverywhere{p} },
			"in a Runner":   func(p *tenant) txn.DB { return txn.New(p, txn.Name("r")) },
			"under txntest": func(p *tenant) txn.DB { return txntest.New(t, p, txntest.ConflictAt(1)) },
		} {
			row++
			d := wrap(&tenant{db.Pool, row})
			require.NoError(t, txn.Run(ctx, d, func(ctx context.Context, tx *txn.Tx) error {
				n, err := read(ctx, tx, row)
				if err == nil {
					require.Equal(t, 1, n, "%s: its statement is in the transaction", name)
				}
				return err
			}), name)
			require.Equal(t, 1, balance(t, db, row), name)

			row++
			d = wrap(&tenant{db.Pool, row})
			var b pgx.Batch
			b.Queue("update accounts set balance = balance + 1 where id = $1", row)
			require.NoError(t, txn.Batch(ctx, d, &b), name)
			require.Equal(t, 2, balance(t, db, row), name)
		}
		attempts, err := txn.RunInTx(ctx, &tenant{db.Pool, row + 1}, collide(db, asIs))
		require.NoError(t, err)
		require.Equal(t, 2, attempts, "each attempt begins by it")
		require.Equal(t, 1, balance(t, db, row+1))
	})
}

func TestStructThatOverridesOnlyBeginIsRefused(t *testing.T) {
	t.Parallel()
	never := func(context.Context, *txn.Tx) error { t.Error("ran"); return nil }
	for _, d := range []txn.DB{onlyBeginOfPool{}, &onlyBeginOfPool{}, struct{ onlyBeginOfPool }{}, txn.New(onlyBeginOfPool{})} {
		require.ErrorContains(t, txn.Run(t.Context(), d, never), "overrides Begin of what it embeds, but not BeginTx", "%T", d)
		require.ErrorContains(t, txn.Batch(t.Context(), d, &pgx.Batch{}), "overrides Begin of what it embeds, but not BeginTx", "%T", d)
	}
	_, err := txn.New(onlyBeginOfPool{}).Begin(t.Context())
	require.ErrorContains(t, err, "overrides Begin of what it embeds, but not BeginTx")
}

type onlyBeginOfPool struct{ *pgxpool.Pool }

func (onlyBeginOfPool) Begin(context.Context) (pgx.Tx, error) { panic("not to be called") }

func TestStructThatOverridesAcquireAcquiresByIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		acquired := 0
		require.NoError(t, txn.Run(t.Context(), tenantOfConn{db.Pool, &acquired}, func(ctx context.Context, tx *txn.Tx) error {
			return write(ctx, tx, 1, 7)
		}))
		require.Equal(t, 1, acquired)
		require.Equal(t, 7, balance(t, db, 1))
	})
}

// A struct that overrides BeginTx is still known by its pool.
func TestStructThatOverridesBeginTxIsItsPool(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		never := func(context.Context, *txn.Tx) error { t.Error("ran"); return nil }
		p := &tenant{db.Pool, 1001}
		for _, pair := range [][2]txn.DB{{p, db}, {db, p}, {p, tenantEverywhere{p}}} {
			require.NoError(t, txn.Run(t.Context(), pair[0], func(ctx context.Context, tx *txn.Tx) error {
				require.ErrorContains(t, txn.Run(ctx, pair[1], never), "give it the *txn.Tx to join")
				_, err := tx.Exec(ctx, "delete from accounts where id = 1001")
				return err
			}))
		}
		attempts, err := txn.RunInTx(t.Context(), p, collide(db, asIs))
		require.NoError(t, err)
		require.Equal(t, 2, attempts)
		require.Equal(t, 1, txn.StatsOf(p).Queues, "a conflict makes a line, as on the pool")
		require.Equal(t, txn.StatsOf(db), txn.StatsOf(p))
	})
}

// mock is a typical mock of a pool: it implements every interface at once, with an
// Acquire that cannot return a connection and a Conn that panics.
type mock struct {
	pgx.Tx
	calls []string
	fail  map[string]error
}

func (m *mock) note(call string) error {
	m.calls = append(m.calls, call)
	return m.fail[call]
}

func (m *mock) Acquire(context.Context) (*pgxpool.Conn, error) {
	return nil, errors.New("handing out a *pgxpool.Conn is not supported")
}
func (m *mock) Begin(ctx context.Context) (pgx.Tx, error) { return m.BeginTx(ctx, pgx.TxOptions{}) }
func (m *mock) BeginTx(_ context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	return m, m.note("begin " + string(o.IsoLevel))
}
func (m *mock) Exec(_ context.Context, sql string, _ ...any) (pgconn.CommandTag, error) {
	return pgconn.NewCommandTag("UPDATE 1"), m.note(sql)
}
func (m *mock) Commit(context.Context) error   { return m.note("commit") }
func (m *mock) Rollback(context.Context) error { return m.note("rollback") }
func (m *mock) Conn() *pgx.Conn                { panic("Conn() is not available") }

func TestMockOfAPoolIsCalledByBeginTx(t *testing.T) {
	t.Parallel()
	const change = "update accounts set balance = 1"
	function := func(ctx context.Context, tx *txn.Tx) error {
		tx.Queue("first")
		_, err := tx.Exec(ctx, change)
		return err
	}
	t.Run("committed", func(t *testing.T) {
		t.Parallel()
		m := new(mock)
		require.NoError(t, txn.Run(t.Context(), m, function))
		require.Equal(t, []string{"begin serializable", "first", change, "commit"}, m.calls)
	})
	t.Run("runs again", func(t *testing.T) {
		t.Parallel()
		m := &mock{fail: map[string]error{change: &pgconn.PgError{Code: "40001"}}}
		var exhausted *txn.ExhaustedError
		require.ErrorAs(t, txn.Run(t.Context(), m, function, txn.MaxAttempts(2)), &exhausted)
		once := []string{"begin serializable", "first", change, "rollback"}
		require.Equal(t, append(once, once...), m.calls)
	})
	t.Run("batch", func(t *testing.T) {
		t.Parallel()
		m := new(mock)
		var b pgx.Batch
		b.Queue(change)
		require.NoError(t, txn.Batch(t.Context(), txn.New(m), &b, txn.Isolation(pgx.ReadCommitted)))
		require.Equal(t, []string{"begin read committed", change, "commit"}, m.calls)
	})
	t.Run("Runner.Begin", func(t *testing.T) {
		t.Parallel()
		m := new(mock)
		_, err := txn.New(m).Begin(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"begin serializable"}, m.calls)
	})
}
