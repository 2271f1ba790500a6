package rkv15

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rowkeeper/rowkeeper/txn"
)

func goodUnique(db *sql.DB, name string) error {
	var n int
	if err := db.QueryRow("select count(*) from tags where name = $1", name).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return errors.New("taken")
	}
	_, err := db.Exec("insert into tags (name) values ($1)", name)
	return err
}

func goodOnConflict(db *sql.DB, email string) error {
	var n int
	if err := db.QueryRow("select count(*) from users where email = $1", email).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return nil
	}
	_, err := db.Exec("insert into users (email) values ($1) on conflict do nothing", email)
	return err
}

func goodSerializable(ctx context.Context, pool *pgxpool.Pool, email string) error {
	return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "select count(*) from users where email = $1", email).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			_, err := tx.Exec(ctx, "insert into users (email) values ($1)", email)
			return err
		}
		return nil
	})
}

func goodOtherTable(db *sql.DB, email string) error {
	var n int
	if err := db.QueryRow("select count(*) from banned where email = $1", email).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return errors.New("banned")
	}
	_, err := db.Exec("insert into users (email) values ($1)", email)
	return err
}

func goodLocked(db *sql.DB, email string) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec("select pg_advisory_xact_lock(1)"); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRow("select count(*) from users where email = $1", email).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		if _, err := tx.Exec("insert into users (email) values ($1)", email); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func goodIndependent(db *sql.DB, email string) (n int, err error) {
	if err := db.QueryRow("select count(*) from users").Scan(&n); err != nil {
		return 0, err
	}
	_, err = db.Exec("insert into users (email) values ($1)", email)
	return n, err
}
