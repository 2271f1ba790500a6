package main

import (
	"context"

	"github.com/cockroachdb/cockroach-go/v2/crdb/crdbpgxv5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var serializable = pgx.TxOptions{IsoLevel: pgx.Serializable}

// eachBody returns a transaction for each body for pgx.Tx.
func eachBody(of func(do pgxBody) transaction) [bodies]transaction {
	var ts [bodies]transaction
	for i, do := range pgxBodies {
		ts[i] = of(do)
	}
	return ts
}

var pgxBeginFunc = library{
	key:  basePgx,
	name: "pgx.BeginTxFunc",
	connect: onPool(func(pool *pgxpool.Pool) [bodies]transaction {
		return eachBody(func(do pgxBody) transaction {
			return func(ctx context.Context, id int64) error {
				return pgx.BeginTxFunc(ctx, pool, serializable, func(tx pgx.Tx) error { return do(ctx, tx, id) })
			}
		})
	}),
}

var cockroachGo = library{
	key:  baseCockroachGo,
	name: "cockroach-go ExecuteTx",
	connect: onPool(func(pool *pgxpool.Pool) [bodies]transaction {
		return eachBody(func(do pgxBody) transaction {
			return func(ctx context.Context, id int64) error {
				return crdbpgx.ExecuteTx(ctx, pool, serializable, func(tx pgx.Tx) error { return do(ctx, tx, id) })
			}
		})
	}),
}

// pgxBatchBegin is the minimum that pgx can do by itself: the code is built around
// a batch, to save the round trip of BEGIN.
var pgxBatchBegin = library{
	key:  "pgx-batch-begin",
	name: "pgx Batch.BeginTx",
	connect: onPool(func(pool *pgxpool.Pool) [bodies]transaction {
		return [bodies]transaction{
			write: func(ctx context.Context, id int64) error {
				tx, err := beginWith(ctx, pool, increment, id, nil)
				if err != nil {
					return err
				}
				return tx.Commit(ctx)
			},
			readWrite: func(ctx context.Context, id int64) error {
				var balance int64
				tx, err := beginWith(ctx, pool, readBalance, id, &balance)
				if err != nil {
					return err
				}
				defer tx.Rollback(ctx)
				if _, err := tx.Exec(ctx, writeBalance, id, balance+1); err != nil {
					return err
				}
				return tx.Commit(ctx)
			},
			readReadWrite: func(ctx context.Context, id int64) error {
				var partner int64
				tx, err := beginWith(ctx, pool, readPartner, id, &partner)
				if err != nil {
					return err
				}
				defer tx.Rollback(ctx)
				balance, err := read(ctx, tx, readBalance, partner)
				if err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, writeBalance, partner, balance+1); err != nil {
					return err
				}
				return tx.Commit(ctx)
			},
		}
	}),
}

// beginWith begins a transaction with its first statement, and reads the
// statement's answer into result unless it is nil.
func beginWith(ctx context.Context, pool *pgxpool.Pool, sql string, id int64, result *int64) (pgx.Tx, error) {
	var b pgx.Batch
	b.BeginTx(serializable)
	q := b.Queue(sql, id)
	if result != nil {
		q.QueryRow(func(row pgx.Row) error { return row.Scan(result) })
	}
	results := pool.SendBatch(ctx, &b)
	tx := results.Tx()
	if err := results.Close(); err != nil {
		_ = tx.Rollback(ctx) // the first error is the one to show
		return nil, err
	}
	return tx, nil
}
