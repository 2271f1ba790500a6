// Package sqlx stands in for the real one.
package sqlx

import (
	"context"
	"database/sql"
)

type DB struct{ *sql.DB }
type Tx struct{ *sql.Tx }
type Rows struct{ *sql.Rows }

func (*DB) Beginx() (*Tx, error)                                                      { return nil, nil }
func (*DB) MustBegin() *Tx                                                            { return nil }
func (*DB) Get(dest any, query string, args ...any) error                             { return nil }
func (*DB) GetContext(ctx context.Context, dest any, query string, args ...any) error { return nil }
func (*DB) Select(dest any, query string, args ...any) error                          { return nil }
func (*DB) NamedExec(query string, arg any) (sql.Result, error)                       { return nil, nil }
func (*DB) Queryx(query string, args ...any) (*Rows, error)                           { return nil, nil }
func (*Tx) Get(dest any, query string, args ...any) error                             { return nil }
func (*Tx) Select(dest any, query string, args ...any) error                          { return nil }
func (*Tx) NamedExec(query string, arg any) (sql.Result, error)                       { return nil, nil }
func (*Tx) Queryx(query string, args ...any) (*Rows, error)                           { return nil, nil }
func (*Rows) StructScan(dest any) error                                               { return nil }
