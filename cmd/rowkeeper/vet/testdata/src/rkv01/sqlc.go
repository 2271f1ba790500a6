package rkv01

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

func (q *Queries) SetX(ctx context.Context, id int) error {
	_, err := q.db.ExecContext(ctx, "update a set x = 1 where id = $1", id)
	return err
}

type SQLStore struct {
	*Queries
	db *sql.DB
}

func (s *SQLStore) execTx(ctx context.Context, fn func(*Queries) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(New(tx)); err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit()
}

func (s *SQLStore) badQueries(ctx context.Context) error {
	return s.execTx(ctx, func(q *Queries) error {
		if err := q.SetX(ctx, 1); err != nil {
			return err
		}
		return s.SetX(ctx, 2) // want `RKV01 pool-in-tx: SetX sends a statement to the pool`
	})
}

func (s *SQLStore) goodQueries(ctx context.Context) error {
	return s.execTx(ctx, func(q *Queries) error {
		return q.SetX(ctx, 1)
	})
}

func (s *SQLStore) goodWithTx(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := New(tx).SetX(ctx, 1); err != nil {
		return err
	}
	return tx.Commit()
}
