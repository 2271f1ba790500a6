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
)

// execModes returns pgx's modes, and with -short one of each kind: with a name, without
// one, and all as text.
func execModes() []pgx.QueryExecMode {
	if testing.Short() {
		return []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol}
	}
	return []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement,
		pgx.QueryExecModeCacheDescribe,
		pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec,
		pgx.QueryExecModeSimpleProtocol,
	}
}

// skipIfShort keeps a test that starts servers of its own out of the daily loop.
func skipIfShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts a server of its own")
	}
}

// eachMode runs f on every engine in every mode, with a pool of one connection and the
// tables of accounts.
func eachMode(t *testing.T, f func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool)) {
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				f(t, db, poolWith(t, db, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode }))
			})
		})
	}
}

// poolLike is poolWith in the mode of the given pool.
func poolLike(t testing.TB, db *dbtest.DB, given *pgxpool.Pool, change func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	return poolWith(t, db, func(c *pgxpool.Config) {
		c.ConnConfig.DefaultQueryExecMode = given.Config().ConnConfig.DefaultQueryExecMode
		change(c)
	})
}

// poolWith returns a second pool, of one connection, on the schema of db. It does not
// ping connections that were idle for a second, as on a slow machine, because tests
// count round trips.
func poolWith(t testing.TB, db *dbtest.DB, change func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(db.URL)
	require.NoError(t, err)
	config.ConnConfig.RuntimeParams["search_path"] = db.Schema
	config.MaxConns = 1
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	change(config)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// requireClean checks that the pool's connection has come back in the same state as
// before.
func requireClean(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	require.Zero(t, pool.Stat().AcquiredConns())
	require.EqualValues(t, 1, pool.Stat().NewConnsCount(), "no connection was lost")
}

func TestFirstStatementInEveryMode(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		ctx := t.Context()
		for range 3 { // cold, then warm
			n, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
				n, err := read(ctx, tx, 1)
				if err != nil {
					return 0, err
				}
				tx.Queue("update accounts set balance = $2 where id = $1", 1, n+1)
				tx.Queue("update accounts set balance = balance + 1 where id = 2")
				return n, nil
			})
			require.NoError(t, err)
			require.Equal(t, n+1, balance(t, db, 1))
			require.Equal(t, n+1, balance(t, db, 2))
		}
		requireClean(t, pool)
	})
}

func TestErrorInTheFirstStatementInEveryMode(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		ctx := t.Context()
		for _, sql := range []string{
			"select balance from nowhere where id = $1",
			"insert into accounts values ($1, 1)",
			"insert into accounts values ($1, 1) returning id",
		} {
			for range 2 {
				for name, send := range map[string]func(ctx context.Context, tx *txn.Tx) error{
					"Exec":     func(ctx context.Context, tx *txn.Tx) error { _, err := tx.Exec(ctx, sql, 1); return err },
					"QueryRow": func(ctx context.Context, tx *txn.Tx) error { return tx.QueryRow(ctx, sql, 1).Scan(new(int)) },
					"Query": func(ctx context.Context, tx *txn.Tx) error {
						rows, err := tx.Query(ctx, sql, 1)
						if err == nil {
							_, err = pgx.CollectRows(rows, pgx.RowTo[int])
						}
						return err
					},
					"Queue": func(ctx context.Context, tx *txn.Tx) error { tx.Queue(sql, 1); return nil },
				} {
					err := txn.Run(ctx, pool, send)
					pe := serverError(t, err)
					require.Contains(t, []string{"42P01", "23505"}, pe.Code, name)
					err = txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
						_ = send(ctx, tx)
						return nil
					})
					require.Equal(t, pe.Code, serverError(t, err).Code, "%s, swallowed", name)
				}
			}
		}
		requireClean(t, pool)
	})
}

// A value that cannot be encoded is an error of the statement, and does not cost the
// connection.
func TestUnsendableValueCostsNoConnection(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		bad := make(chan int)
		for range 3 {
			err := txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.Exec(ctx, "update accounts set balance = $2 where id = $1", 1, bad)
				require.Error(t, err)
				_, err = tx.Exec(ctx, "update accounts set balance = $2 where id = $1", 1, 7)
				return err
			})
			require.NoError(t, err, "the transaction has not failed")
			require.Equal(t, 7, balance(t, db, 1))

			err = txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				if err := write(ctx, tx, 1, 8); err != nil {
					return err
				}
				tx.Queue("update accounts set balance = $2 where id = $1", 1, bad)
				return nil
			})
			require.Error(t, err)
			require.Equal(t, 7, balance(t, db, 1))
		}
		requireClean(t, pool)
	})
}

func TestRowsLeftHalfRead(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		_, err := db.Exec(t.Context(), "insert into accounts select n, 1 from generate_series(10, 2000) n")
		require.NoError(t, err)
		for range 2 {
			require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				rows, err := tx.Query(ctx, "select id from accounts where id > $1 order by id", 5)
				require.NoError(t, err)
				require.True(t, rows.Next())
				var id int
				require.NoError(t, rows.Scan(&id))
				require.Equal(t, 10, id)
				require.NotNil(t, rows.Conn())
				_, err = tx.Exec(ctx, "update accounts set balance = 7 where id = 1")
				require.ErrorContains(t, err, "busy")
				rows.Close()
				require.NoError(t, rows.Err())
				require.Contains(t, rows.CommandTag().String(), "SELECT")
				return write(ctx, tx, 1, 8)
			}))
			require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.Query(ctx, "select id from accounts where id > $1 order by id", 5)
				tx.Queue("update accounts set balance = 9 where id = 1")
				return err
			}))
			require.Equal(t, 9, balance(t, db, 1))
			ids, err := txn.RunInTx(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) ([]int, error) {
				rows, err := tx.Query(ctx, "select id from accounts where id > $1 order by id", 5)
				if err != nil {
					return nil, err
				}
				return pgx.CollectRows(rows, pgx.RowTo[int])
			})
			require.NoError(t, err)
			require.Len(t, ids, 1991)
		}
		requireClean(t, pool)
	})
}

func TestNamedArguments(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		for i := range 2 {
			require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				var n int
				err := tx.QueryRow(ctx, "select balance from accounts where id = @id", pgx.NamedArgs{"id": 1}).Scan(&n)
				tx.Queue("update accounts set balance = @balance where id = @id", pgx.NamedArgs{"id": 1, "balance": n + 1})
				return err
			}))
			require.Equal(t, 101+i, balance(t, db, 1))
			err := txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.Exec(ctx, "update accounts set balance = @balance where id = @id", pgx.StrictNamedArgs{"id": 1})
				return err
			})
			require.ErrorContains(t, err, "balance")
		}
		requireClean(t, pool)
	})
}

// Statements that cannot travel with BEGIN are sent after a separate BEGIN.
func TestStatementsThatGoAlone(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		ctx := t.Context()
		for name, f := range map[string]func(ctx context.Context, tx *txn.Tx) error{
			"mode among the arguments": func(ctx context.Context, tx *txn.Tx) error {
				return tx.QueryRow(ctx, "select balance from accounts where id = $1", pgx.QueryExecModeExec, 1).Scan(new(int))
			},
			"formats among the arguments": func(ctx context.Context, tx *txn.Tx) error {
				return tx.QueryRow(ctx, "select balance from accounts where id = $1", pgx.QueryResultFormats{pgx.TextFormatCode}, 1).Scan(new(int))
			},
			"prepared statement": func(ctx context.Context, tx *txn.Tx) error {
				if _, err := tx.Prepare(ctx, "get_balance", "select balance from accounts where id = $1"); err != nil {
					return err
				}
				return tx.QueryRow(ctx, "get_balance", 1).Scan(new(int))
			},
			"text of several": func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.Exec(ctx, "update accounts set balance = 6 where id = 1; update accounts set balance = 7 where id = 1")
				return err
			},
			"text of several, queued": func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue("update accounts set balance = 5 where id = $1", 1)
				tx.Queue("update accounts set balance = 6 where id = 1; update accounts set balance = balance + 1 where id = 1")
				tx.Queue("update accounts set balance = balance + $2 where id = $1", 1, 0)
				return nil
			},
			"batch": func(ctx context.Context, tx *txn.Tx) error {
				var b pgx.Batch
				b.Queue("update accounts set balance = 5 where id = $1", 1)
				b.Queue("update accounts set balance = 7 where id = 1")
				return tx.SendBatch(ctx, &b).Close()
			},
			"copy": func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.CopyFrom(ctx, pgx.Identifier{"accounts"}, []string{"id", "balance"}, pgx.CopyFromRows([][]any{{77, 1}}))
				tx.Queue("delete from accounts where id = 77")
				return err
			},
			"connection": func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.Conn().Exec(ctx, "update accounts set balance = 7 where id = 1")
				return err
			},
		} {
			for range 2 {
				_, err := db.Exec(ctx, "update accounts set balance = 100 where id = 1")
				require.NoError(t, err)
				require.NoError(t, txn.Run(ctx, pool, f), name)
			}
		}
		require.Equal(t, 2, rowsIn(t, db))
		requireClean(t, pool)
	})
}

// A name that AfterConnect prepared is found in place of SQL.
func TestPreparedNameAsTheFirstStatement(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, given *pgxpool.Pool) {
		pool := poolLike(t, db, given, func(c *pgxpool.Config) {
			c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
				_, err := conn.Prepare(ctx, "get_balance", "select balance from accounts where id = $1")
				return err
			}
		})
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			return tx.QueryRow(ctx, "get_balance", 1).Scan(new(int))
		}))
	})
}

// The server refuses a statement because of how it was prepared; the call runs once
// more, and hides the error.
func TestStalePreparedStatement(t *testing.T) {
	for name, spoil := range map[string]func(ctx context.Context, db *dbtest.DB, pool *pgxpool.Pool) error{
		"gone": func(ctx context.Context, db *dbtest.DB, pool *pgxpool.Pool) error {
			_, err := pool.Exec(ctx, "deallocate all", pgx.QueryExecModeSimpleProtocol)
			return err
		},
		"other result": func(ctx context.Context, db *dbtest.DB, pool *pgxpool.Pool) error {
			_, err := db.Exec(ctx, "alter table accounts add column extra int")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
				runs := 0
				f := func(ctx context.Context, tx *txn.Tx) error {
					runs++
					rows, err := tx.Query(ctx, "select * from accounts where id = $1", 1)
					if err != nil {
						return err
					}
					_, err = pgx.CollectRows(rows, pgx.RowToMap)
					return err
				}
				require.NoError(t, txn.Run(t.Context(), pool, f))
				require.NoError(t, spoil(t.Context(), db, pool))
				runs = 0
				require.NoError(t, txn.Run(t.Context(), pool, f))
				require.LessOrEqual(t, runs, 2)
				runs = 0
				require.NoError(t, txn.Run(t.Context(), pool, f))
				require.Equal(t, 1, runs)
				requireClean(t, pool)
			})
		})
	}
}

// Each statement of the function is stale; the call hides all errors.
func TestManyStalePreparedStatements(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		f := func(ctx context.Context, tx *txn.Tx) error {
			for _, sql := range []string{"select * from accounts where id = $1", "select * from accounts where id < $1", "select * from accounts where id > $1"} {
				tx.Queue(setBalance, 1, 7)
				rows, err := tx.Query(ctx, sql, 1)
				if err != nil {
					return err
				}
				if _, err := pgx.CollectRows(rows, pgx.RowToMap); err != nil {
					return err
				}
			}
			return nil
		}
		require.NoError(t, txn.Run(t.Context(), pool, f))
		_, err := db.Exec(t.Context(), "alter table accounts add column extra int")
		require.NoError(t, err)
		require.NoError(t, txn.Run(t.Context(), pool, f))
		_, err = pool.Exec(t.Context(), "deallocate all", pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
		require.NoError(t, txn.Run(t.Context(), pool, f))
		requireClean(t, pool)
	})
}

func TestStatementCacheForgetsTheLeastRecentlyUsed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.ConnConfig.StatementCacheCapacity = 2 })
		for range 3 {
			for _, sql := range []string{
				"select balance + 0 from accounts where id = $1", "select balance + 1 from accounts where id = $1",
				"select balance + 2 from accounts where id = $1", "select balance + 3 from accounts where id = $1",
			} {
				require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue("update accounts set balance = $2 where id = $1", 2, 7)
					return tx.QueryRow(ctx, sql, 1).Scan(new(int))
				}))
			}
		}
		var kept int
		require.NoError(t, pool.QueryRow(t.Context(), "select count(*) from pg_prepared_statements where name like 'rowkeeper%'", pgx.QueryExecModeSimpleProtocol).Scan(&kept))
		require.LessOrEqual(t, kept, 4, "two, and those of the last packet")
		requireClean(t, pool)
	})
}

func TestNothingSentNeedsNoDatabase(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig("host=127.0.0.1 port=1 connect_timeout=1")
	require.NoError(t, err)
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	hooked := false
	got, err := txn.RunInTx(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
		tx.OnCommit(func(context.Context) { hooked = true })
		if _, err := tx.Begin(ctx); err != nil { // a savepoint that nothing comes after
			return 0, err
		}
		return 42, txn.Run(ctx, tx, func(context.Context, *txn.Tx) error { return nil })
	})
	require.NoError(t, err)
	require.Equal(t, 42, got)
	require.True(t, hooked)

	mine := errors.New("mine")
	require.Same(t, mine, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
		tx.Queue("select 1")
		return mine
	}))
	// If something must be sent but cannot be, the call returns the reason, whatever
	// the function returns.
	for name, f := range map[string]func(ctx context.Context, tx *txn.Tx){
		"Exec":  func(ctx context.Context, tx *txn.Tx) { _, _ = tx.Exec(ctx, "select 1") },
		"Queue": func(ctx context.Context, tx *txn.Tx) { tx.Queue("select 1") },
		"Conn":  func(ctx context.Context, tx *txn.Tx) { require.Nil(t, tx.Conn()) },
		"LargeObjects": func(ctx context.Context, tx *txn.Tx) {
			los := tx.LargeObjects()
			_, err := los.Create(ctx, 0)
			require.ErrorIs(t, err, pgx.ErrTxClosed)
		},
	} {
		err := txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error { f(ctx, tx); return nil }, txn.Name("pay"))
		require.ErrorContains(t, err, "txn pay: begin: ", name)
	}
}
