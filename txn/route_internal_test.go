package txn

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

type (
	plainPool     struct{ *pgxpool.Pool }
	plainPoolMore struct {
		_ string
		*pgxpool.Pool
	}
	deepPool           struct{ *plainPoolMore }
	deepPoolValue      struct{ plainPoolMore }
	genericPool[T any] struct {
		_ T
		*pgxpool.Pool
	}
	plainConn   struct{ *pgxpool.Conn }
	besideOther struct {
		*errorful
		*pgxpool.Pool
	}
	errorful struct{}
)

func (errorful) Error() string { return "" }

var errOverride = errors.New("an override")

type (
	acquires    struct{ *pgxpool.Pool }
	onlyBegins  struct{ *pgxpool.Pool }
	onlyBeginsP struct {
		_ string
		*pgxpool.Pool
	}
	onlyBeginsConn     struct{ *pgx.Conn }
	onlyBeginsG[T any] struct {
		_ T
		*pgxpool.Pool
	}
	aboveOnlyBegins  struct{ *onlyBeginsP }
	aboveOnlyBeginsV struct{ onlyBeginsP }

	beginsTx  struct{ *pgxpool.Pool }
	beginsTxP struct {
		_ string
		*pgxpool.Pool
	}
	beginsTxG[T any] struct {
		_ T
		*pgxpool.Pool
	}
	aboveBeginsTx  struct{ *beginsTxP }
	aboveBeginsTxV struct{ beginsTxP }
	beginsBoth     struct{ *pgxpool.Pool }
	anyBeginner    struct{ beginner }
	fullInterface  struct{ allOfIt }
	allOfIt        interface {
		DB
		beginner
		pool
	}
	mockBase struct{}
	mockPool struct{ *mockBase }
)

func (acquires) Acquire(context.Context) (*pgxpool.Conn, error)         { return nil, errOverride }
func (onlyBegins) Begin(context.Context) (pgx.Tx, error)                { return nil, errOverride }
func (p *onlyBeginsP) Begin(ctx context.Context) (pgx.Tx, error)        { return p.Pool.Begin(ctx) }
func (c onlyBeginsConn) Begin(ctx context.Context) (pgx.Tx, error)      { return c.Conn.Begin(ctx) }
func (p onlyBeginsG[T]) Begin(ctx context.Context) (pgx.Tx, error)      { return p.Pool.Begin(ctx) }
func (beginsTx) BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error) { return nil, errOverride }
func (p *beginsTxP) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	return p.Pool.BeginTx(ctx, o)
}
func (p *beginsTxG[T]) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	return p.Pool.BeginTx(ctx, o)
}
func (beginsBoth) Begin(context.Context) (pgx.Tx, error)                  { return nil, errOverride }
func (beginsBoth) BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error) { return nil, errOverride }
func (b anyBeginner) Begin(ctx context.Context) (pgx.Tx, error) {
	return b.BeginTx(ctx, pgx.TxOptions{})
}
func (*mockBase) Begin(context.Context) (pgx.Tx, error)                  { return nil, errOverride }
func (*mockBase) BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error) { return nil, errOverride }
func (*mockPool) Acquire(context.Context) (*pgxpool.Conn, error)         { return nil, errOverride }

func TestRouteOfEveryShape(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		db   DB
		want route
	}{
		{(*pgxpool.Pool)(nil), direct},
		{(*pgxpool.Conn)(nil), direct},
		{(*pgx.Conn)(nil), direct},
		{plainPool{}, direct},
		{&plainPool{}, direct},
		{plainPoolMore{}, direct},
		{&plainPoolMore{}, direct},
		{deepPool{}, direct},
		{&deepPool{}, direct},
		{deepPoolValue{}, direct},
		{&deepPoolValue{}, direct},
		{struct{ *pgxpool.Pool }{}, direct},
		{genericPool[int]{}, direct},
		{&genericPool[string]{}, direct},
		{besideOther{}, direct},
		{acquires{}, direct}, // which then calls that Acquire
		{onlyBegins{}, overlooked},
		{&onlyBegins{}, overlooked},
		{&onlyBeginsP{}, overlooked},
		{onlyBeginsConn{}, overlooked},
		{onlyBeginsG[int]{}, overlooked},
		{&onlyBeginsG[[]byte]{}, overlooked},
		{aboveOnlyBegins{}, overlooked},
		{&aboveOnlyBegins{}, overlooked},
		{&aboveOnlyBeginsV{}, overlooked},
		{plainConn{}, byBeginTx},
		{beginsTx{}, byBeginTx},
		{&beginsTx{}, byBeginTx},
		{&beginsTxP{}, byBeginTx},
		{&beginsTxG[int]{}, byBeginTx},
		{aboveBeginsTx{}, byBeginTx},
		{&aboveBeginsTx{}, byBeginTx},
		{&aboveBeginsTxV{}, byBeginTx},
		{beginsBoth{}, byBeginTx},
		{&beginsBoth{}, byBeginTx},
		{anyBeginner{}, byBeginTx},
		{fullInterface{}, byBeginTx},
		{&mockPool{}, byBeginTx},
	} {
		require.Equal(t, test.want, routeOf(test.db), "%T", test.db)
		require.Equal(t, test.want, routeOf(test.db), "%T, known by now", test.db)
	}
}
