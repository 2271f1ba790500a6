package rkv02

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jmoiron/sqlx"
)

func badDeposit(ctx context.Context, pool *pgxpool.Pool, id, n int) error {
	var balance int
	if err := pool.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&balance); err != nil {
		return err
	}
	balance += n
	_, err := pool.Exec(ctx, "update accounts set balance = $2 where id = $1", id, balance) // want `RKV02 rmw-no-tx: accounts.balance is computed`
	return err
}

type account struct {
	ID      int
	Balance int
}

func badStruct(db *sql.DB, id, n int) error {
	var a account
	if err := db.QueryRow("select id, balance from accounts where id = $1", id).Scan(&a.ID, &a.Balance); err != nil {
		return err
	}
	_, err := db.Exec("update accounts set balance = $1 where id = $2", a.Balance-n, a.ID) // want `RKV02`
	return err
}

func badSqlx(db *sqlx.DB, id, n int) error {
	var a account
	if err := db.Get(&a, "select * from accounts where id = $1", id); err != nil {
		return err
	}
	a.Balance += n
	_, err := db.Exec("update accounts set balance = $1 where id = $2", a.Balance, id) // want `RKV02`
	return err
}

type store struct{ db *pgxpool.Pool }

func (s *store) balance(ctx context.Context, id int) (balance int, err error) {
	err = s.db.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&balance)
	return balance, err
}

func (s *store) setBalance(ctx context.Context, id, balance int) error {
	_, err := s.db.Exec(ctx, "update accounts set balance = $2 where id = $1", id, balance)
	return err
}

func (s *store) badHelpers(ctx context.Context, id, n int) error {
	balance, err := s.balance(ctx, id)
	if err != nil {
		return err
	}
	return s.setBalance(ctx, id, balance+n) // want `RKV02`
}

func badCollected(ctx context.Context, pool *pgxpool.Pool, id int) error {
	rows, err := pool.Query(ctx, "select visits from pages where id = $1", id)
	if err != nil {
		return err
	}
	visits, err := pgx.CollectOneRow(rows, pgx.RowTo[int])
	if err != nil {
		return err
	}
	_, err = pool.Exec(ctx, "update pages set visits = $2 where id = $1", id, visits+1) // want `RKV02`
	return err
}
