package main

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

var serializableSQL = &sql.TxOptions{Isolation: sql.LevelSerializable}

var databaseSQL = library{
	key:  "database-sql",
	name: "database/sql with pgx",
	connect: func(_ context.Context, config *pgx.ConnConfig) (*client, error) {
		db := newDB(config)
		c := &client{close: func() { db.Close() }}
		for i, do := range sqlBodies {
			c.run[i] = func(ctx context.Context, id int64) error {
				tx, err := db.BeginTx(ctx, serializableSQL)
				if err != nil {
					return err
				}
				defer tx.Rollback()
				if err := do(ctx, tx, id); err != nil {
					return err
				}
				return tx.Commit()
			}
		}
		return c, nil
	},
}

var sqlBodies = [bodies]func(ctx context.Context, tx *sql.Tx, id int64) error{
	write: func(ctx context.Context, tx *sql.Tx, id int64) error {
		_, err := tx.ExecContext(ctx, increment, id)
		return err
	},
	readWrite: func(ctx context.Context, tx *sql.Tx, id int64) error {
		var balance int64
		if err := tx.QueryRowContext(ctx, readBalance, id).Scan(&balance); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, writeBalance, id, balance+1)
		return err
	},
	readReadWrite: func(ctx context.Context, tx *sql.Tx, id int64) error {
		var partner, balance int64
		if err := tx.QueryRowContext(ctx, readPartner, id).Scan(&partner); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, readBalance, partner).Scan(&balance); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, writeBalance, partner, balance+1)
		return err
	},
}

// gormTransaction leaves prepared statements to pgx, which keeps them for each
// connection.
var gormTransaction = library{
	key:     "gorm",
	name:    "GORM Transaction",
	connect: connectGORM(false),
}

// gormPrepared prepares them in GORM. A statement that is first used in a
// transaction, as here, belongs to that one: database/sql prepares and
// deallocates it again in each that follows.
var gormPrepared = library{
	key:     "gorm-prepare",
	name:    "GORM Transaction, PrepareStmt",
	connect: connectGORM(true),
}

func connectGORM(prepare bool) func(context.Context, *pgx.ConnConfig) (*client, error) {
	return func(_ context.Context, config *pgx.ConnConfig) (*client, error) {
		conn := newDB(config)
		db, err := gorm.Open(postgres.New(postgres.Config{Conn: conn}), &gorm.Config{PrepareStmt: prepare, Logger: logger.Discard})
		if err != nil {
			conn.Close()
			return nil, err
		}
		c := &client{close: func() { conn.Close() }}
		for i, do := range gormBodies {
			c.run[i] = func(ctx context.Context, id int64) error {
				return db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return do(tx, id) }, serializableSQL)
			}
		}
		return c, nil
	}
}

var gormBodies = [bodies]func(tx *gorm.DB, id int64) error{
	write: func(tx *gorm.DB, id int64) error {
		return tx.Exec("update accounts set balance = balance + 1 where id = ?", id).Error
	},
	readWrite: func(tx *gorm.DB, id int64) error {
		var balance int64
		if err := gormRead(tx, "select balance from accounts where id = ?", id, &balance); err != nil {
			return err
		}
		return gormWrite(tx, id, balance+1)
	},
	readReadWrite: func(tx *gorm.DB, id int64) error {
		var partner, balance int64
		if err := gormRead(tx, "select partner from accounts where id = ?", id, &partner); err != nil {
			return err
		}
		if err := gormRead(tx, "select balance from accounts where id = ?", partner, &balance); err != nil {
			return err
		}
		return gormWrite(tx, partner, balance+1)
	},
}

func gormRead(tx *gorm.DB, sql string, id int64, result *int64) error {
	return tx.Raw(sql, id).Scan(result).Error
}

func gormWrite(tx *gorm.DB, id, balance int64) error {
	return tx.Exec("update accounts set balance = ? where id = ?", balance, id).Error
}
