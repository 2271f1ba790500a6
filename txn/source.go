package txn

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DB is what transactions are begun on: anything that [pgx.BeginFunc] takes.
// What it can do is seen by its methods.
//
//   - A pool (*pgxpool.Pool, or a struct that embeds one): has Acquire.
//   - *pgxpool.Conn and *pgx.Conn: one connection, which must be idle.
//   - A [Runner]: the same with options.
//   - A pgx.Tx or *[Tx]: the call joins that transaction.
//   - Anything else, such as a wrapper or a mock of your own: needs a method
//     BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error), because without
//     it the isolation level cannot be set.
type DB interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

type beginner interface {
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

type pool interface {
	Acquire(ctx context.Context) (*pgxpool.Conn, error)
}

// resolve looks through runners for the database and the options that hold.
func resolve(db DB, opts []Option) (DB, *config, error) {
	r, ok := db.(*Runner)
	if !ok || r == nil {
		cfg, err := defaults.with(opts)
		if dbErr := checkDB(db); dbErr != nil {
			err = errors.Join(dbErr, err)
		}
		return db, cfg, err
	}
	if r.db == nil && r.err == nil {
		return nil, nil, errNilDB
	}
	cfg, err := r.config.with(opts)
	if r.err != nil {
		err = errors.Join(r.err, err)
	}
	return r.db, cfg, err
}

var errNilDB = errors.New("txn: the database is nil")

func checkDB(db DB) error {
	if v := reflect.ValueOf(db); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return errNilDB
	}
	switch db.(type) {
	case pgx.Tx, pool, beginner:
		return nil
	}
	return noBeginTx(db)
}

func noBeginTx(db DB) error {
	return fmt.Errorf("txn: %T has no method BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error), so the isolation level cannot be set", db)
}

// sendsItself reports whether statements on db are sent by this package. On a
// wrapper they go through its own methods.
func sendsItself(db DB) bool {
	switch db.(type) {
	case pool, *pgxpool.Conn, *pgx.Conn:
		return true
	}
	return false
}
