package rkv03

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rowkeeper/rowkeeper/txn"
)

func goodForUpdate(ctx context.Context, pool *pgxpool.Pool, id, n int) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var balance int
		if err := tx.QueryRow(ctx, "select balance from accounts where id = $1 for update", id).Scan(&balance); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "update accounts set balance = $2 where id = $1", id, balance+n)
		return err
	})
}

func goodSerializable(ctx context.Context, db *sql.DB, id, n int) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var balance int
	if err := tx.QueryRow("select balance from accounts where id = $1", id).Scan(&balance); err != nil {
		return err
	}
	if _, err := tx.Exec("update accounts set balance = $1 where id = $2", balance+n, id); err != nil {
		return err
	}
	return tx.Commit()
}

func goodRun(ctx context.Context, pool *pgxpool.Pool, id, n int) error {
	return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		var balance int
		if err := tx.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&balance); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "update accounts set balance = $2 where id = $1", id, balance+n)
		return err
	})
}

func goodRepeatableRead(ctx context.Context, pool *pgxpool.Pool, id, n int) error {
	return pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		var balance int
		if err := tx.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&balance); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "update accounts set balance = $2 where id = $1", id, balance+n)
		return err
	})
}

func goodUnknownTx(ctx context.Context, tx pgx.Tx, id, n int) error {
	var balance int
	if err := tx.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&balance); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "update accounts set balance = $2 where id = $1", id, balance+n)
	return err
}

func goodSetLevel(ctx context.Context, pool *pgxpool.Pool, id, n int) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "set transaction isolation level serializable"); err != nil {
			return err
		}
		var balance int
		if err := tx.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&balance); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "update accounts set balance = $2 where id = $1", id, balance+n)
		return err
	})
}

func goodAdd(ctx context.Context, pool *pgxpool.Pool, id, n int) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "update accounts set balance = balance + $2 where id = $1", id, n)
		return err
	})
}
