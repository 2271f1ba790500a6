package txntest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/txntest"
)

const addReturning = "update accounts set balance = balance + 1 where id = $1 returning balance"

// readers read a batch of three queries, each of which returns one row.
var readers = map[string]func(b *pgx.Batch, send func(*pgx.Batch) pgx.BatchResults) (read int, err error){
	"Close": func(b *pgx.Batch, send func(*pgx.Batch) pgx.BatchResults) (int, error) {
		return 0, send(b).Close()
	},
	"Exec": func(b *pgx.Batch, send func(*pgx.Batch) pgx.BatchResults) (read int, err error) {
		r := send(b)
		defer r.Close()
		for range b.Len() {
			if _, err := r.Exec(); err != nil {
				return read, err
			}
			read++
		}
		return read, r.Close()
	},
	"Query": func(b *pgx.Batch, send func(*pgx.Batch) pgx.BatchResults) (read int, err error) {
		r := send(b)
		defer r.Close()
		for range b.Len() {
			rows, _ := r.Query()
			if _, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int]); err != nil {
				return read, err
			}
			read++
		}
		return read, r.Close()
	},
	"QueryRow": func(b *pgx.Batch, send func(*pgx.Batch) pgx.BatchResults) (read int, err error) {
		r := send(b)
		defer r.Close()
		for range b.Len() {
			var n int
			if err := r.QueryRow().Scan(&n); err != nil {
				return read, err
			}
			read++
		}
		return read, r.Close()
	},
	"callbacks": func(b *pgx.Batch, send func(*pgx.Batch) pgx.BatchResults) (read int, err error) {
		for i, q := range b.QueuedQueries {
			switch i {
			case 0:
				q.Exec(func(pgconn.CommandTag) error { read++; return nil })
			case 1:
				q.QueryRow(func(row pgx.Row) error {
					var n int
					err := row.Scan(&n)
					if err == nil {
						read++
					}
					return err
				})
			case 2:
				q.Query(func(rows pgx.Rows) error {
					for rows.Next() {
						read++
					}
					return rows.Err()
				})
			}
		}
		err = send(b).Close()
		return read, err
	},
}

func TestConflictInABatch(t *testing.T) {
	for name, reader := range readers {
		for at := 1; at <= 3; at++ {
			for how, treat := range treatments {
				t.Run(fmt.Sprintf("%s, query %d, %s", name, at, how), func(t *testing.T) {
					dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
						accounts(t, db)
						attempts, err := txn.RunInTx(t.Context(), txntest.New(t, db, txntest.ConflictAt(at+1)), func(ctx context.Context, tx *txn.Tx) (int, error) {
							if err := add(ctx, tx, 2, 1); err != nil {
								return 0, err
							}
							var b pgx.Batch
							for range 3 {
								b.Queue(addReturning, 1)
							}
							read, err := reader(&b, func(b *pgx.Batch) pgx.BatchResults { return tx.SendBatch(ctx, b) })
							if tx.Attempt() == 1 {
								var pe *pgconn.PgError
								require.ErrorAs(t, err, &pe)
								require.Equal(t, "40001", pe.Code)
								if name != "Close" {
									require.Equal(t, at-1, read, "the results before it")
								}
							}
							if err != nil {
								return 0, treat(err)
							}
							return tx.Attempt(), nil
						})
						require.NoError(t, err)
						require.Equal(t, 2, attempts)
						requireBalances(t, db, 103, 101)
						requireClean(t, db)
					})
				})
			}
		}
	}
}

func TestBatchCallbackCannotUndoTheConflict(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		tx, err := txntest.New(t, db, txntest.ConflictAt(2)).Begin(t.Context())
		require.NoError(t, err)
		var b pgx.Batch
		var seen error
		b.Queue(addReturning, 1)
		b.Queue(addReturning, 1).QueryRow(func(row pgx.Row) error {
			seen = row.Scan(new(int))
			return nil
		})
		b.Queue(addReturning, 1).Exec(func(pgconn.CommandTag) error { t.Error("ran after the error"); return nil })
		r := tx.SendBatch(t.Context(), &b)
		var n int
		require.NoError(t, r.QueryRow().Scan(&n))
		require.Equal(t, 101, n)
		err = r.Close()
		require.Error(t, seen)
		require.Same(t, seen, err)
		require.Same(t, err, r.Close())
		_, err = r.Exec()
		require.Same(t, seen, err)
		require.NoError(t, tx.Rollback(t.Context()))
		requireBalances(t, db, 100, 100)
		requireClean(t, db)
	})
}

func TestRealErrorInABatchComesBeforeTheConflict(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		rec := &recorder{}
		tx, err := txntest.New(rec, db, txntest.ConflictAt(2)).Begin(t.Context())
		require.NoError(t, err)
		var b pgx.Batch
		b.Queue("insert into accounts values (1, 1)")
		b.Queue(addReturning, 1).QueryRow(func(pgx.Row) error { t.Error("ran after the error"); return nil })
		var pe *pgconn.PgError
		require.ErrorAs(t, tx.SendBatch(t.Context(), &b).Close(), &pe)
		require.Equal(t, "23505", pe.Code)
		require.NoError(t, tx.Rollback(t.Context()))
		require.Len(t, rec.end(), 1)
		requireClean(t, db)
	})
}
