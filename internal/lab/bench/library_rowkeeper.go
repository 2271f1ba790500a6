package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn"
)

// rowkeeperUnchanged runs the same functions as pgx.BeginTxFunc.
var rowkeeperUnchanged = library{
	key:  "rowkeeper",
	name: "Rowkeeper, unchanged code",
	connect: onPool(func(pool *pgxpool.Pool) [bodies]transaction {
		return eachBody(func(do pgxBody) transaction {
			return func(ctx context.Context, id int64) error {
				return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error { return do(ctx, tx, id) })
			}
		})
	}),
}

// rowkeeperQueue queues the last write, because nobody needs its result.
var rowkeeperQueue = library{
	key:  "rowkeeper-queue",
	name: "Rowkeeper, last write by Queue",
	connect: onPool(func(pool *pgxpool.Pool) [bodies]transaction {
		return [bodies]transaction{
			write: func(ctx context.Context, id int64) error {
				return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(increment, id)
					return nil
				})
			},
			readWrite: func(ctx context.Context, id int64) error {
				return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
					balance, err := read(ctx, tx, readBalance, id)
					if err != nil {
						return err
					}
					tx.Queue(writeBalance, id, balance+1)
					return nil
				})
			},
			readReadWrite: func(ctx context.Context, id int64) error {
				return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
					partner, err := read(ctx, tx, readPartner, id)
					if err != nil {
						return err
					}
					balance, err := read(ctx, tx, readBalance, partner)
					if err != nil {
						return err
					}
					tx.Queue(writeBalance, partner, balance+1)
					return nil
				})
			},
		}
	}),
}

const dependent = "in a batch no statement can use the answer to another one"

var rowkeeperBatch = library{
	key:  "rowkeeper-batch",
	name: "Rowkeeper, txn.Batch",
	connect: onPool(func(pool *pgxpool.Pool) [bodies]transaction {
		return [bodies]transaction{
			write: func(ctx context.Context, id int64) error {
				var b pgx.Batch
				b.Queue(increment, id)
				return txn.Batch(ctx, pool, &b)
			},
		}
	}),
	lacks: map[body]string{readWrite: dependent, readReadWrite: dependent},
}
