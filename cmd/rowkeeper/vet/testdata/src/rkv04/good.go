package rkv04

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
)

func goodReturned(tx *sql.Tx) error { return tx.Commit() }

func goodChecked(ctx context.Context, tx pgx.Tx) (int, error) {
	if err := tx.Commit(ctx); err != nil {
		return 0, err
	}
	return 1, nil
}

func goodNamedResult(db *sql.DB) (err error) {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tx.Rollback()
			return
		}
		err = tx.Commit()
	}()
	_, err = tx.Exec("update a set x = 1")
	return err
}

func goodReleased(tx *sql.Tx) error {
	if _, err := tx.Exec("RELEASE SAVEPOINT cockroach_restart"); err != nil {
		return err
	}
	tx.Commit()
	return nil
}

func goodGorm(db *gorm.DB) error {
	tx := db.Begin()
	defer tx.Rollback()
	return tx.Commit().Error
}

type journal struct{}

func (journal) Commit() {}

func goodNoDatabase(j journal) { j.Commit() }

func goodIgnored(tx *sql.Tx) {
	//rowkeeper:ignore RKV04 nothing was written, and the session ends here
	tx.Commit()
}
