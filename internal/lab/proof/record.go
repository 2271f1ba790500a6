package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/owner"
)

// statement is a sent statement.
type statement struct {
	sql  string
	args []any
}

// recorder is a database that records the statements sent to it, and passes them on
// to a database, if there is one. Otherwise no row is found.
type recorder struct {
	pgx.Tx // for functions that only take a transaction
	db     owner.DB
	sent   []statement
}

func (r *recorder) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	r.sent = append(r.sent, statement{sql, args})
	if r.db != nil {
		return r.db.Query(ctx, sql, args...)
	}
	return noRows{}, nil
}

func (r *recorder) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	r.sent = append(r.sent, statement{sql, args})
	if r.db != nil {
		return r.db.Exec(ctx, sql, args...)
	}
	return pgconn.NewCommandTag("UPDATE 0"), nil
}

// Queue and QueueExpect make it an owner.Queue.
func (r *recorder) Queue(sql string, args ...any) {
	r.sent = append(r.sent, statement{sql, args})
}

func (r *recorder) QueueExpect(_ int64, sql string, args ...any) { r.Queue(sql, args...) }

type noRows struct{ pgx.Rows }

func (noRows) Close()     {}
func (noRows) Err() error { return nil }
func (noRows) Next() bool { return false }
