package rkv05

import (
	"context"
	"database/sql"
	"log"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func goodDeferred(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec("update a set x = 1"); err != nil {
		return err
	}
	return tx.Commit()
}

func goodEachPath(ctx context.Context, pool *pgxpool.Pool) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "update a set x = 1"); err != nil {
		tx.Rollback(ctx)
		return err
	}
	return tx.Commit(ctx)
}

func goodDeferredLiteral(db *sql.DB) (err error) {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tx.Rollback()
		}
	}()
	if _, err = tx.Exec("update a set x = 1"); err != nil {
		return err
	}
	return tx.Commit()
}

func finish(tx *sql.Tx, err *error) {
	if *err != nil {
		tx.Rollback()
		return
	}
	*err = tx.Commit()
}

func goodFinisher(db *sql.DB) (err error) {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer finish(tx, &err)
	_, err = tx.Exec("update a set x = 1")
	return err
}

func goodReturnsIt(ctx context.Context, pool *pgxpool.Pool) (pgx.Tx, error) {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "set local x = 1"); err != nil {
		return nil, err
	}
	return tx, nil
}

type session struct{ tx *sql.Tx }

func (s *session) goodStored(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	s.tx = tx
	return nil
}

func goodRollbackLiteral(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	fail := func(err error) error {
		tx.Rollback()
		return err
	}
	if _, err := tx.Exec("update a set x = 1"); err != nil {
		return fail(err)
	}
	return tx.Commit()
}

func goodFatal(db *sql.DB) {
	tx, err := db.Begin()
	if err != nil {
		log.Fatal(err)
	}
	if _, err := tx.Exec("update a set x = 1"); err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}
}

func goodBatches(db *sql.DB, items []int) error {
	var tx *sql.Tx
	n := 0
	for _, item := range items {
		if n == 0 {
			var err error
			if tx, err = db.Begin(); err != nil {
				return err
			}
		}
		if _, err := tx.Exec("insert into a values ($1)", item); err != nil {
			tx.Rollback()
			return err
		}
		n++
	}
	if n == 0 {
		return nil
	}
	return tx.Commit()
}
