package txn_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

type nilTracer struct{ trace.Nop }

func TestNonsenseIsAnErrorAtTheFirstCall(t *testing.T) {
	t.Parallel()
	never := func(context.Context, *txn.Tx) error { t.Error("ran"); return nil }
	for want, o := range map[string]txn.Option{
		`txn: Isolation: "read uncommitted" is not a level`: txn.Isolation(pgx.ReadUncommitted),
		`txn: Isolation: "" is not a level`:                 txn.Isolation(""),
		`txn: MaxAttempts: 0 is not at least 1`:             txn.MaxAttempts(0),
		`txn: MaxElapsed: -1s is not positive`:              txn.MaxElapsed(-time.Second),
		`txn: Backoff: base 0s must be positive`:            txn.Backoff(0, time.Second),
		`txn: Backoff: base 2s must be positive`:            txn.Backoff(2*time.Second, time.Second),
		`txn: Name: the name is empty`:                      txn.Name(""),
		`txn: option 1 is nil`:                              nil,
		`txn: AsOf: the time is zero`:                       txn.AsOf(time.Time{}),
		`txn: Timeouts: all are zero`:                       txn.Timeouts{},
		`txn: Timeouts: -1s is not a positive`:              txn.Timeouts{Lock: -time.Second},
		`txn: Timeouts: 1µs is not a positive whole`:        txn.Timeouts{Statement: time.Microsecond},
		`txn: Setting: "" is not the name`:                  txn.Setting("", "x"),
		`txn: Setting: "a b" is not the name`:               txn.Setting("a b", "x"),
		`txn: Setting: "a." is not the name`:                txn.Setting("a.", "x"),
		`txn: Setting: "1a" is not the name`:                txn.Setting("1a", "x"),
		`txn: Setting: the value of a has a zero byte`:      txn.Setting("a", "x\x00"),
		`txn: Key: no parts are given`:                      txn.Key(),
		`txn: Key: a part is of a type without a value`:     txn.Key(map[string]int{}),
		`txn: Trace: the tracer is nil`:                     txn.Trace((*nilTracer)(nil)),
	} {
		require.ErrorContains(t, txn.Run(t.Context(), wrapper{}, never, o), want)
		require.ErrorContains(t, txn.Run(t.Context(), txn.New(wrapper{}, o), never), want)
	}
	err := txn.Run(t.Context(), wrapper{}, never, txn.MaxAttempts(0), txn.Name(""))
	require.ErrorContains(t, err, "MaxAttempts")
	require.ErrorContains(t, err, "Name", "all of them at once")

	require.ErrorContains(t, txn.Run(t.Context(), wrapper{}, nil), "the function is nil")
	_, err = txn.RunInTx[int](t.Context(), wrapper{}, nil)
	require.ErrorContains(t, err, "the function is nil")
}

func TestOptionsOfACallOverrideTheRunners(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		once := txn.New(db, txn.MaxAttempts(1))
		_, err := txn.RunInTx(t.Context(), once, collide(db, asIs))
		var ex *txn.ExhaustedError
		require.ErrorAs(t, err, &ex)
		require.Equal(t, 1, ex.Attempts)
		_, err = txn.RunInTx(t.Context(), once, collide(db, asIs), txn.MaxAttempts(2))
		require.NoError(t, err)
		_, err = txn.RunInTx(t.Context(), txn.New(once, txn.MaxAttempts(2)), collide(db, asIs))
		require.NoError(t, err)
	})
}
