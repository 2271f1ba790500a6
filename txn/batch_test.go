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
)

type rowOf struct {
	id, balance int
	fields      []string
}

func (r *rowOf) ScanRow(rows pgx.Rows) error {
	for _, f := range rows.FieldDescriptions() {
		r.fields = append(r.fields, f.Name)
	}
	return rows.Scan(&r.id, &r.balance)
}

func TestBatchIsOneTransaction(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		for _, d := range []txn.DB{pool, txn.New(pool), wrapper{pool}, pool} {
			_, err := db.Exec(t.Context(), "update accounts set balance = 100")
			require.NoError(t, err)
			var b pgx.Batch
			var before int
			var both []int
			var all [][]any
			var whole rowOf
			var tag pgconn.CommandTag
			b.Queue("select balance from accounts where id = $1", 1).QueryRow(func(row pgx.Row) error { return row.Scan(&before) })
			b.Queue(addBalance, 1, 5).Exec(func(got pgconn.CommandTag) error { tag = got; return nil })
			b.Queue("update accounts set balance = balance + 1 where id = 2")
			b.Queue("select balance from accounts where id < @id order by id", pgx.NamedArgs{"id": 9}).Query(func(rows pgx.Rows) (err error) {
				both, err = pgx.CollectRows(rows, pgx.RowTo[int])
				return err
			})
			b.Queue("select id, balance, null::text as nothing from accounts where id = 1").Query(func(rows pgx.Rows) error {
				for rows.Next() {
					values, err := rows.Values()
					if err != nil {
						return err
					}
					all = append(all, values)
				}
				return rows.Err()
			})
			b.Queue("select id, balance from accounts where id = 2").QueryRow(func(row pgx.Row) error { return row.Scan(&whole) })
			b.Queue("select 1 from accounts where id = 99").QueryRow(func(row pgx.Row) error {
				require.ErrorIs(t, row.Scan(new(int)), pgx.ErrNoRows)
				return nil
			})
			require.NoError(t, txn.Batch(t.Context(), d, &b))
			require.Equal(t, 100, before)
			require.Equal(t, "UPDATE 1", tag.String())
			require.Equal(t, []int{105, 101}, both)
			require.Equal(t, [][]any{{int64(1), int64(105), nil}}, all)
			require.Equal(t, rowOf{2, 101, []string{"id", "balance"}}, whole)
			require.Equal(t, 105, balance(t, db, 1))

			require.NoError(t, txn.Batch(t.Context(), d, &b), "the same batch again")
			require.Equal(t, 110, balance(t, db, 1))
		}
		requireClean(t, pool)
	})
}

func TestBatchThatFailsChangesNothing(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		for _, d := range []txn.DB{pool, wrapper{pool}} {
			for range 2 {
				var b pgx.Batch
				b.Queue(addBalance, 1, 5).Exec(func(pgconn.CommandTag) error { t.Error("called back"); return nil })
				b.Queue("insert into accounts values ($1, 1)", 1)
				err := txn.Batch(t.Context(), d, &b)
				var q *txn.QueuedError
				require.ErrorAs(t, err, &q)
				require.Equal(t, "insert into accounts values ($1, 1)", q.SQL)
				requireCode(t, err, "23505")
				require.Equal(t, 100, balance(t, db, 1))
			}
		}
		requireClean(t, pool)
	})
}

func TestBatchIsRetried(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		tracer := &recorder{}
		done := make(chan error)
		const workers, each = 4, 10
		for range workers {
			go func() {
				var err error
				for range each {
					var b pgx.Batch
					b.Queue("select balance from accounts where id = 1")
					b.Queue("update accounts set balance = (select balance + 1 from accounts where id = 1) where id = 1")
					err = errors.Join(err, txn.Batch(t.Context(), db, &b, txn.Trace(tracer)))
				}
				done <- err
			}()
		}
		for range workers {
			require.NoError(t, <-done)
		}
		require.Equal(t, 100+workers*each, balance(t, db, 1))
	})
}

func TestErrorOfACallbackComesAfterTheCommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		mine := errors.New("mine")
		var b pgx.Batch
		b.Queue(setBalance, 1, 7).Exec(func(pgconn.CommandTag) error { return mine })
		b.Queue("select 1").QueryRow(func(pgx.Row) error { t.Error("called back"); return nil })
		err := txn.Batch(t.Context(), db, &b)
		require.ErrorAs(t, err, new(*txn.CommittedError))
		require.ErrorIs(t, err, mine)
		require.ErrorContains(t, err, "callback of query 1")
		require.Equal(t, 7, balance(t, db, 1))

		// In a joined call it is provisional, and is undone.
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			var b pgx.Batch
			b.Queue(setBalance, 1, 8).Exec(func(pgconn.CommandTag) error { return mine })
			require.ErrorIs(t, txn.Batch(ctx, tx, &b), mine)
			n, err := read(ctx, tx, 1)
			require.Equal(t, 7, n)
			var ok pgx.Batch
			ok.Queue(addBalance, 1, 3)
			return errors.Join(err, txn.Batch(ctx, tx, &ok))
		}))
		require.Equal(t, 10, balance(t, db, 1))
	})
}

func TestBatchMisuse(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, txn.Batch(t.Context(), wrapper{}, nil), "the batch is nil")
	var b pgx.Batch
	b.BeginTx(pgx.TxOptions{})
	require.ErrorContains(t, txn.Batch(t.Context(), wrapper{}, &b), "do not call its BeginTx")
	require.NoError(t, txn.Batch(t.Context(), wrapper{}, &pgx.Batch{}), "nothing is sent")
	require.ErrorContains(t, txn.Batch(t.Context(), wrapper{}, &pgx.Batch{}, txn.MaxAttempts(0)), "MaxAttempts")
}
