// Package pgx stands in for the real one.
package pgx

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

var ErrNoRows = errors.New("no rows")

type Row interface{ Scan(dest ...any) error }

type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

type TxIsoLevel string

const (
	Serializable   TxIsoLevel = "serializable"
	RepeatableRead TxIsoLevel = "repeatable read"
)

type TxAccessMode string

const ReadOnly TxAccessMode = "read only"

type TxOptions struct {
	IsoLevel   TxIsoLevel
	AccessMode TxAccessMode
}

type Batch struct{}
type BatchResults interface{ Close() error }

type Tx interface {
	Begin(ctx context.Context) (Tx, error)
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) Row
	SendBatch(ctx context.Context, b *Batch) BatchResults
}

type Conn struct{}

func (*Conn) Begin(ctx context.Context) (Tx, error) { return nil, nil }
func (*Conn) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, nil
}
func (*Conn) Query(ctx context.Context, sql string, args ...any) (Rows, error) { return nil, nil }
func (*Conn) QueryRow(ctx context.Context, sql string, args ...any) Row        { return nil }

func BeginFunc(ctx context.Context, db interface {
	Begin(context.Context) (Tx, error)
}, fn func(Tx) error) error {
	return nil
}

func BeginTxFunc(ctx context.Context, db interface {
	BeginTx(context.Context, TxOptions) (Tx, error)
}, options TxOptions, fn func(Tx) error) error {
	return nil
}

type CollectableRow interface{ Scan(dest ...any) error }

func RowTo[T any](row CollectableRow) (T, error)             { var v T; return v, nil }
func RowToStructByName[T any](row CollectableRow) (T, error) { var v T; return v, nil }

func CollectRows[T any](rows Rows, fn func(CollectableRow) (T, error)) ([]T, error) { return nil, nil }
func CollectOneRow[T any](rows Rows, fn func(CollectableRow) (T, error)) (T, error) {
	var v T
	return v, nil
}

type Identifier []string

func (Identifier) Sanitize() string { return "" }
