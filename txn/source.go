package txn

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DB is a database on which transactions begin: anything that [pgx.BeginFunc] takes.
//
//   - *pgxpool.Pool, and a struct that embeds one and overrides neither Begin nor
//     BeginTx: BEGIN travels with the first statement.
//   - *pgxpool.Conn and *pgx.Conn: the same on one connection, which must be idle.
//   - A [Runner]: any of these with options.
//   - A pgx.Tx or *[Tx]: the call joins that transaction.
//   - Anything else, such as a wrapper or a mock: begins by its method
//     BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error), which it must have,
//     because without it the isolation level cannot be set. BEGIN is then a separate
//     round trip.
//
// So a struct that embeds a pool and overrides BeginTx, for example to set a tenant for
// row-level policies, begins by that method. A struct that overrides only Begin is
// refused, because nothing would call it.
//
// A mock pool, such as pgxmock's, is called by its BeginTx, even if it has Acquire and
// implements pgx.Tx. Expect BeginTx with the options of the call, by default
// pgx.TxOptions{IsoLevel: pgx.Serializable}, then the statements of the function, and
// Commit or Rollback of the transaction that BeginTx returned. Its Conn may return nil.
type DB interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

type beginner interface {
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

type pool interface {
	Acquire(ctx context.Context) (*pgxpool.Conn, error)
}

// resolve unwraps runners and returns the database and the effective options.
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
	if _, joins := txOf(db); joins {
		return nil
	}
	if _, ok := db.(beginner); !ok {
		return noBeginTx(db)
	}
	if routeOf(db) == overlooked {
		return fmt.Errorf("txn: %T overrides Begin of what it embeds, but not BeginTx, by which transactions are begun here: override that too", db)
	}
	return nil
}

func noBeginTx(db DB) error {
	return fmt.Errorf("txn: %T has no method BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error), so the isolation level cannot be set", db)
}

// txOf returns the transaction that a call on db joins. Mock pools implement all
// methods, but a transaction has no Acquire.
func txOf(db DB) (pgx.Tx, bool) {
	tx, ok := db.(pgx.Tx)
	if ok {
		_, acquires := db.(pool)
		_, begins := db.(beginner)
		ok = !acquires || !begins
	}
	return tx, ok
}

// connOf returns the connection of a transaction, or nil if the transaction hides it.
// The Conn method of some mocks panics.
func connOf(tx pgx.Tx) (conn *pgx.Conn) {
	defer func() {
		if recover() != nil {
			conn = nil
		}
	}()
	return tx.Conn()
}
