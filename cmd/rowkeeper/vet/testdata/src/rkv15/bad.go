package rkv15

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func badCount(db *sql.DB, email string) error {
	var n int
	if err := db.QueryRow("select count(*) from users where email = $1", email).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return errors.New("taken")
	}
	_, err := db.Exec("insert into users (email) values ($1)", email) // want `RKV15 check-then-insert`
	return err
}

func badExists(ctx context.Context, pool *pgxpool.Pool, email string) error {
	var exists bool
	if err := pool.QueryRow(ctx, "select exists (select 1 from users where email = $1)", email).Scan(&exists); err != nil {
		return err
	}
	if !exists {
		_, err := pool.Exec(ctx, "insert into users (email) values ($1)", email) // want `RKV15`
		return err
	}
	return nil
}

func badNoRows(ctx context.Context, pool *pgxpool.Pool, email string) (id int, err error) {
	err = pool.QueryRow(ctx, "select id from users where email = $1", email).Scan(&id)
	if err == pgx.ErrNoRows {
		err = pool.QueryRow(ctx, "insert into users (email) values ($1) returning id", email).Scan(&id) // want `RKV15`
	}
	return id, err
}

func badReadCommitted(ctx context.Context, pool *pgxpool.Pool, email string) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "select count(*) from users where email = $1", email).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			_, err := tx.Exec(ctx, "insert into users (email) values ($1)", email) // want `RKV15`
			return err
		}
		return nil
	})
}

func badLimit(db *sql.DB, user int) error {
	var n int
	if err := db.QueryRow("select count(*) from projects where user_id = $1", user).Scan(&n); err != nil {
		return err
	}
	if n >= 10 {
		return errors.New("too many")
	}
	_, err := db.Exec("insert into projects (user_id) values ($1)", user) // want `RKV15`
	return err
}
