package rkv03

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jmoiron/sqlx"
)

func badDeposit(ctx context.Context, pool *pgxpool.Pool, id, n int) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	var balance int
	if err := tx.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&balance); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "update accounts set balance = $2 where id = $1", id, balance+n); err != nil { // want `RKV03 rmw-unlocked: accounts.balance is computed`
		return err
	}
	return tx.Commit(ctx)
}

func badDefaultOptions(ctx context.Context, db *sql.DB, id, n int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var balance int
	if err := tx.QueryRow("select balance from accounts where id = $1", id).Scan(&balance); err != nil {
		return err
	}
	if balance < n {
		return sql.ErrNoRows
	}
	balance -= n
	if _, err := tx.Exec("update accounts set balance = $1 where id = $2", balance, id); err != nil { // want `RKV03`
		return err
	}
	return tx.Commit()
}

func badBeginFunc(ctx context.Context, pool *pgxpool.Pool, id, n int) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var balance int
		if err := tx.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&balance); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "update accounts set balance = $2 where id = $1", id, balance+n) // want `RKV03`
		return err
	})
}

func badReadCommitted(ctx context.Context, db *sql.DB, id int) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var n int
	if err := tx.QueryRow("select visits from pages where id = $1", id).Scan(&n); err != nil {
		return err
	}
	if _, err := tx.Exec("update pages set visits = $1 where id = $2", n+1, id); err != nil { // want `RKV03`
		return err
	}
	return tx.Commit()
}

type account struct{ ID, Balance int }

func badSqlx(db *sqlx.DB, id, n int) error {
	tx, err := db.Beginx()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var a account
	if err := tx.Get(&a, "select * from accounts where id = $1", id); err != nil {
		return err
	}
	if _, err := tx.Exec("update accounts set balance = $1 where id = $2", a.Balance+n, id); err != nil { // want `RKV03`
		return err
	}
	return tx.Commit()
}

func balanceOf(ctx context.Context, tx pgx.Tx, id int) (balance int, err error) {
	err = tx.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&balance)
	return balance, err
}

func badHelper(ctx context.Context, pool *pgxpool.Pool, id, n int) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		balance, err := balanceOf(ctx, tx, id)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "update accounts set balance = $2 where id = $1", id, balance+n) // want `RKV03`
		return err
	})
}
