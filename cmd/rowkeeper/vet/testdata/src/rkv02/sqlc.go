package rkv02

import (
	"context"
	"database/sql"
)

type DBTX interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

type Queries struct{ db DBTX }

func New(db DBTX) *Queries { return &Queries{db: db} }

const getAccount = `-- name: GetAccount :one
select id, balance from accounts where id = $1 limit 1`

func (q *Queries) GetAccount(ctx context.Context, id int) (account, error) {
	row := q.db.QueryRowContext(ctx, getAccount, id)
	var a account
	err := row.Scan(&a.ID, &a.Balance)
	return a, err
}

const updateAccount = `-- name: UpdateAccount :exec
update accounts set balance = $2 where id = $1`

type UpdateAccountParams struct {
	ID      int
	Balance int
}

func (q *Queries) UpdateAccount(ctx context.Context, arg UpdateAccountParams) error {
	_, err := q.db.ExecContext(ctx, updateAccount, arg.ID, arg.Balance)
	return err
}

func badQueries(ctx context.Context, db *sql.DB, id, n int) error {
	q := New(db)
	a, err := q.GetAccount(ctx, id)
	if err != nil {
		return err
	}
	return q.UpdateAccount(ctx, UpdateAccountParams{ID: id, Balance: a.Balance + n}) // want `RKV02`
}

func goodQueries(ctx context.Context, db *sql.DB, id, n int) error {
	q := New(db)
	a, err := q.GetAccount(ctx, id)
	if err != nil {
		return err
	}
	return q.UpdateAccount(ctx, UpdateAccountParams{ID: a.ID, Balance: n})
}
