package txn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/txntest"
)

// rowSource yields the rows 11, 12 and 13 once. The types around it are the kinds of
// values that a source may be.
type rowSource struct{ n int }

func (s *rowSource) Next() bool             { s.n++; return s.n <= 3 }
func (s *rowSource) Values() ([]any, error) { return []any{10 + s.n, 1}, nil }
func (s *rowSource) Err() error             { return nil }

type (
	byValue      struct{ pgx.CopyFromSource }
	byArray      [1]pgx.CopyFromSource
	byChannel    chan int
	byMap        map[string]int
	notComparing struct {
		pgx.CopyFromSource
		_ []int
	}
	resettable struct{ rowSource }
	stateless  struct{}
)

func (a byArray) Next() bool               { return a[0].Next() }
func (a byArray) Values() ([]any, error)   { return a[0].Values() }
func (a byArray) Err() error               { return nil }
func (c byChannel) Next() bool             { return len(c) > 0 }
func (c byChannel) Values() ([]any, error) { return []any{<-c, 1}, nil }
func (c byChannel) Err() error             { return nil }
func (m byMap) Next() bool                 { m["n"]++; return m["n"] <= 3 }
func (m byMap) Values() ([]any, error)     { return []any{10 + m["n"], 1}, nil }
func (m byMap) Err() error                 { return nil }
func (*stateless) Next() bool              { return false }
func (*stateless) Values() ([]any, error)  { return nil, nil }
func (*stateless) Err() error              { return nil }

func threeRows() [][]any { return [][]any{{11, 1}, {12, 1}, {13, 1}} }

func filledChannel() pgx.CopyFromSource {
	c := make(byChannel, 3)
	for i := range 3 {
		c <- 11 + i
	}
	return c
}

// copySources are ways to make a source of three rows.
var copySources = map[string]func() pgx.CopyFromSource{
	"CopyFromRows": func() pgx.CopyFromSource { return pgx.CopyFromRows(threeRows()) },
	"CopyFromSlice": func() pgx.CopyFromSource {
		return pgx.CopyFromSlice(3, func(i int) ([]any, error) { return threeRows()[i], nil })
	},
	"CopyFromFunc": func() pgx.CopyFromSource {
		s := &rowSource{}
		return pgx.CopyFromFunc(func() ([]any, error) {
			if !s.Next() {
				return nil, nil
			}
			return s.Values()
		})
	},
	"pointer":    func() pgx.CopyFromSource { return &rowSource{} },
	"value":      func() pgx.CopyFromSource { return byValue{&rowSource{}} },
	"array":      func() pgx.CopyFromSource { return byArray{&rowSource{}} },
	"channel":    filledChannel,
	"map":        func() pgx.CopyFromSource { return byMap{} },
	"resettable": func() pgx.CopyFromSource { return &resettable{} },
}

type copier interface {
	CopyFrom(context.Context, pgx.Identifier, []string, pgx.CopyFromSource) (int64, error)
}

func copyInto(ctx context.Context, tx copier, src pgx.CopyFromSource) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"accounts"}, []string{"id", "balance"}, src)
	return err
}

// copyWays are ways to reach CopyFrom.
var copyWays = map[string]func(ctx context.Context, tx *txn.Tx, src pgx.CopyFromSource) error{
	"tx": func(ctx context.Context, tx *txn.Tx, src pgx.CopyFromSource) error { return copyInto(ctx, tx, src) },
	"swallowed": func(ctx context.Context, tx *txn.Tx, src pgx.CopyFromSource) error {
		_ = copyInto(ctx, tx, src)
		return nil
	},
	"savepoint": func(ctx context.Context, tx *txn.Tx, src pgx.CopyFromSource) error {
		return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return copyInto(ctx, tx, src) })
	},
	"joined": func(ctx context.Context, tx *txn.Tx, src pgx.CopyFromSource) error {
		return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error { return copyInto(ctx, tx, src) })
	},
	"joined pgx.Tx, swallowed": func(ctx context.Context, tx *txn.Tx, src pgx.CopyFromSource) error {
		var plain pgx.Tx = tx
		_ = txn.Run(ctx, txn.New(plain), func(ctx context.Context, tx *txn.Tx) error { return copyInto(ctx, tx, src) })
		return nil
	},
}

// A source made outside the function has no rows for the second run: the call reports
// that, whatever the function does with the error. Made inside, it has all rows.
func TestCopyFromASourceThatAnEarlierAttemptRead(t *testing.T) {
	for kind, source := range copySources {
		t.Run(kind, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				run := func(through txn.DB, way string, outside pgx.CopyFromSource) error {
					return txn.Run(t.Context(), through, func(ctx context.Context, tx *txn.Tx) error {
						src := outside
						if src == nil {
							src = source()
						}
						if err := copyWays[way](ctx, tx, src); err != nil {
							return err
						}
						_, err := collide(db, asIs)(ctx, tx)
						return err
					}, txn.Name("copy"))
				}
				for way := range copyWays {
					for name, through := range map[string]txn.DB{"pool": db.Pool, "wrapper": wrapper{db.Pool}, "txntest": txntest.Rerun(t, db)} {
						message := way + ", " + name
						err := run(through, way, source())
						require.ErrorContains(t, err, "txn copy: CopyFrom: attempt 1 has read from this source", message)
						require.ErrorContains(t, err, "make it inside the function", message)
						require.Equal(t, rolledBack, claimOf(err), message)
						require.Equal(t, 2, rowsIn(t, db), message)

						require.NoError(t, run(through, way, nil), message)
						require.Equal(t, 5, rowsIn(t, db), message)
						_, err = db.Exec(t.Context(), "delete from accounts where id > 10")
						require.NoError(t, err)
					}
				}
				require.Zero(t, db.Stat().AcquiredConns())
			})
		})
	}
}

// A source is accepted if no earlier attempt has read it or if it has no identity, and
// within one attempt it behaves as in pgx.
func TestCopyFromSourcesThatAreNotRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		unread := &rowSource{}
		require.NoError(t, txn.Run(t.Context(), txntest.New(t, db, txntest.ConflictAt(1)), func(ctx context.Context, tx *txn.Tx) error {
			if _, err := read(ctx, tx, 1); err != nil {
				return err
			}
			return copyInto(ctx, tx, unread)
		}))
		require.Equal(t, 5, rowsIn(t, db))

		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			for _, src := range []pgx.CopyFromSource{&stateless{}, byValue{&stateless{}}, notComparing{CopyFromSource: &stateless{}}, byValue{notComparing{CopyFromSource: &stateless{}}}, byValue{pgx.CopyFromRows(nil)}} {
				if err := copyInto(ctx, tx, src); err != nil {
					return err
				}
			}
			_, err := collide(db, asIs)(ctx, tx)
			return err
		}))

		_, err := db.Exec(t.Context(), "delete from accounts where id > 10")
		require.NoError(t, err)
		twice := &rowSource{}
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			return errors.Join(copyInto(ctx, tx, twice), copyInto(ctx, tx, twice))
		}))
		require.Equal(t, 5, rowsIn(t, db))
		require.ErrorContains(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			return copyInto(ctx, tx, pgx.CopyFromRows(threeRows()))
		}), "23505", "and errors are as they were")
	})
}

// panicsAt is a source one of whose methods panics.
type panicsAt struct {
	rowSource
	method string
}

func (p *panicsAt) at(method string) {
	if p.method == method && p.n == 2 {
		panic(method)
	}
}
func (p *panicsAt) Next() bool             { p.at("Next"); return p.rowSource.Next() }
func (p *panicsAt) Values() ([]any, error) { p.at("Values"); return p.rowSource.Values() }
func (p *panicsAt) Err() error {
	if p.n > 3 {
		p.n = 2
		p.at("Err")
	}
	return nil
}

// pgx reads in another goroutine, in which a panic would end the process.
func TestPanicOfACopyFromSource(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) {})
		for _, method := range []string{"Next", "Values", "Err"} {
			for _, through := range []txn.DB{pool, wrapper{pool}} {
				require.PanicsWithValue(t, method, func() {
					_ = txn.Run(t.Context(), through, func(ctx context.Context, tx *txn.Tx) error {
						return copyInto(ctx, tx, &panicsAt{method: method})
					})
				})
				require.Equal(t, 2, rowsIn(t, db))
				requireClean(t, pool)
			}
		}
		require.Panics(t, func() {
			_ = txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error { return copyInto(ctx, tx, nil) })
		})
		requireClean(t, pool)
	})
}
