package faultnet_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
)

func TestTurns(t *testing.T) {
	const sql = "select $1::int8"
	in := func(mode pgx.QueryExecMode) func(context.Context, *pgx.Conn) error {
		return func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, sql, mode, 1)
			return err
		}
	}
	for _, test := range []struct {
		name string
		do   func(context.Context, *pgx.Conn) error
		want []int64 // each time that it is done
	}{
		{"simple", in(pgx.QueryExecModeSimpleProtocol), []int64{1, 1}},
		{"one write", in(pgx.QueryExecModeExec), []int64{1, 1}},
		{"statement prepared", in(pgx.QueryExecModeCacheStatement), []int64{2, 1, 1}},
		{"statement described", in(pgx.QueryExecModeCacheDescribe), []int64{2, 1, 1}},
		{"described each time", in(pgx.QueryExecModeDescribeExec), []int64{2, 2}},
		{"failed", func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "selekt")
			if err != nil {
				return nil
			}
			return context.Canceled
		}, []int64{1, 1}},
		{"transaction", func(ctx context.Context, conn *pgx.Conn) error {
			return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, sql, pgx.QueryExecModeExec, 1)
				return err
			})
		}, []int64{3, 3}},
		{"pipelined", func(ctx context.Context, conn *pgx.Conn) error {
			b := new(pgx.Batch)
			b.Queue("begin")
			b.Queue(sql, 1)
			b.Queue("commit")
			return conn.SendBatch(ctx, b).Close()
		}, []int64{2, 1}}, // statements are prepared first, all in one
		{"long answer", func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "select repeat('x', 100000) from generate_series(1, 50)")
			return err
		}, []int64{1, 1}},
		{"long question", func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "select length($1::text)", pgx.QueryExecModeExec, strings.Repeat("x", 1<<20))
			return err
		}, []int64{1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				p := start(t, db)
				conn := connect(t, p, db)
				require.Zero(t, p.RoundTrips(), "the start-up is not counted")
				for _, want := range test.want {
					before := p.RoundTrips()
					require.NoError(t, test.do(t.Context(), conn))
					require.Equal(t, want, p.RoundTrips()-before)
				}
				before := p.RoundTrips()
				require.NoError(t, conn.Close(t.Context()))
				require.Equal(t, before, p.RoundTrips(), "the end is not counted")
				require.Positive(t, p.Bytes(faultnet.FromClient))
				require.Positive(t, p.Bytes(faultnet.FromServer))
			})
		})
	}
}

func TestRoundTrip(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		p := start(t, db)
		conn := connect(t, p, db)
		for _, d := range []time.Duration{time.Millisecond, 50 * time.Millisecond, 3 * time.Millisecond, 0} {
			p.SetRoundTrip(d)
			for range 3 {
				begin := time.Now()
				require.NoError(t, conn.Ping(t.Context()))
				require.GreaterOrEqual(t, time.Since(begin), d)
			}
		}
		require.EqualValues(t, 12, p.RoundTrips(), "delay changes nothing in the count")

		// Order and bytes are kept, and faults come in turn.
		p.SetRoundTrip(2 * time.Millisecond)
		long := strings.Repeat("abcdefg", 1<<17)
		var echo string
		require.NoError(t, conn.QueryRow(t.Context(), "select $1::text", pgx.QueryExecModeExec, long).Scan(&echo))
		require.Equal(t, long, echo)
		hook, seen := faultnet.On(faultnet.Completes("COMMIT"), faultnet.CutBefore(faultnet.ResetBoth))
		p.SetHook(hook)
		require.Error(t, transaction(t.Context(), conn, 1))
		await(t, seen)
		require.Equal(t, 1, rows(t, db))
	})
}

// Chunks that arrive together wait together: the time of a long answer depends on
// its way, not on the number of its chunks.
func BenchmarkLongAnswerFar(b *testing.B) {
	db := dbtest.First(b)
	p := start(b, db)
	conn := connect(b, p, db)
	p.SetRoundTrip(20 * time.Millisecond)
	for b.Loop() {
		_, err := conn.Exec(b.Context(), "select repeat('x', 100000) from generate_series(1, 100)")
		require.NoError(b, err)
	}
	b.SetBytes(100 * 100000)
}

// BenchmarkPing shows the cost of the proxy itself, and the precision of a round
// trip of a millisecond.
func BenchmarkPing(b *testing.B) {
	db := dbtest.First(b)
	p := start(b, db)
	near, err := db.Acquire(b.Context())
	require.NoError(b, err)
	defer near.Release()
	through := connect(b, p, db)
	for _, way := range []struct {
		name string
		conn *pgx.Conn
		trip time.Duration
		hook faultnet.Hook
	}{
		{name: "direct", conn: near.Conn()},
		{name: "proxy", conn: through},
		{name: "hook", conn: through, hook: func(faultnet.Message) faultnet.Action { return faultnet.Pass() }},
		{name: "1ms", conn: through, trip: time.Millisecond},
	} {
		b.Run(way.name, func(b *testing.B) {
			p.SetRoundTrip(way.trip)
			p.SetHook(way.hook)
			for b.Loop() {
				require.NoError(b, way.conn.Ping(b.Context()))
			}
		})
	}
}

// The servers here require no password, so this test plays one.
func TestPasswordIsNoTurn(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b := pgproto3.NewBackend(conn, conn)
		_, _ = b.ReceiveStartupMessage() // a failure here fails the client
		b.Send(&pgproto3.AuthenticationCleartextPassword{})
		_ = b.Flush()
		_ = b.SetAuthType(pgproto3.AuthTypeCleartextPassword)
		_, _ = b.Receive()
		b.Send(&pgproto3.AuthenticationOk{})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		_ = b.Flush()
		_, _ = b.Receive()
	}()
	p, err := faultnet.New("tcp", listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(p.Close)
	c, err := pgx.ParseConfig("postgres://somebody:secret@192.0.2.1/db")
	require.NoError(t, err)
	p.Rewrite(c)
	conn, err := pgx.ConnectConfig(t.Context(), c)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	require.Zero(t, p.RoundTrips())
}
