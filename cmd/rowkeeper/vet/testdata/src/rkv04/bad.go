package rkv04

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jmoiron/sqlx"
	"gorm.io/gorm"
)

func badDropped(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec("update a set x = 1"); err != nil {
		return err
	}
	tx.Commit() // want `RKV04 commit-ignored: the error of Commit is dropped`
	return nil
}

func badBlank(ctx context.Context, pool *pgxpool.Pool) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, "update a set x = 1"); err != nil {
		return err
	}
	_ = tx.Commit(ctx) // want `RKV04`
	return nil
}

func badDeferred(ctx context.Context, tx pgx.Tx) error {
	defer tx.Commit(ctx) // want `RKV04 commit-ignored: the error of a deferred Commit`
	_, err := tx.Exec(ctx, "update a set x = 1")
	return err
}

func badInDefer(db *sqlx.DB) (err error) {
	tx, err := db.Beginx()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tx.Rollback()
		} else {
			tx.Commit() // want `RKV04`
		}
	}()
	_, err = tx.Exec("update a set x = 1")
	return err
}

func badGorm(db *gorm.DB) error {
	tx := db.Begin()
	if err := tx.Exec("update a set x = 1").Error; err != nil {
		tx.Rollback()
		return err
	}
	tx.Commit() // want `RKV04`
	return nil
}

func badOverwritten(tx *sql.Tx) error {
	err := tx.Commit() // want `RKV04`
	_, err = tx.Exec("select 1")
	return err
}
