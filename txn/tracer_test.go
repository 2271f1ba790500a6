package txn_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// recorder records events, and checks that each end gets the context of its start.
type recorder struct {
	mu     sync.Mutex
	events []string
}

type spanKey struct{}

func (r *recorder) start(ctx context.Context, what string) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, what)
	outer, _ := ctx.Value(spanKey{}).(string)
	return context.WithValue(ctx, spanKey{}, outer+"/"+strings.Fields(what)[0])
}

func (r *recorder) end(ctx context.Context, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, fmt.Sprintf("%s ", ctx.Value(spanKey{}))+fmt.Sprintf(format, args...))
}

func (r *recorder) TraceCallStart(ctx context.Context, d trace.CallStart) context.Context {
	return r.start(ctx, "call "+d.Name)
}
func (r *recorder) TraceCallEnd(ctx context.Context, d trace.CallEnd) {
	r.end(ctx, "ends after %d, %s, error %t", d.Attempts, d.Outcome, d.Err != nil)
}
func (r *recorder) TraceAttemptStart(ctx context.Context, d trace.AttemptStart) context.Context {
	return r.start(ctx, fmt.Sprintf("attempt %d", d.Attempt))
}
func (r *recorder) TraceAttemptEnd(ctx context.Context, d trace.AttemptEnd) {
	r.end(ctx, "%d ends, committed %t, retryable %t, %s", d.Attempt, d.Committed, d.Retryable, d.SQLState)
}
func (r *recorder) TraceCommitStart(ctx context.Context, d trace.CommitStart) context.Context {
	return r.start(ctx, fmt.Sprintf("commit with %d", d.Queued))
}
func (r *recorder) TraceCommitEnd(ctx context.Context, d trace.CommitEnd) {
	r.end(ctx, "%s, error %t", d.Outcome, d.Err != nil)
}
func (r *recorder) TraceWaitStart(ctx context.Context, d trace.WaitStart) context.Context {
	return r.start(ctx, fmt.Sprintf("wait after %d", d.Attempt))
}
func (r *recorder) TraceWaitEnd(ctx context.Context, d trace.WaitEnd) {
	r.end(ctx, "ends, error %t", d.Err != nil)
}

func TestTracerIsToldOfEverything(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		r := &recorder{}
		_, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
			require.Equal(t, "/call/attempt", ctx.Value(spanKey{}))
			n, err := read(ctx, tx, 1)
			if err != nil {
				return 0, err
			}
			if tx.Attempt() <= 2 {
				if _, err := db.Exec(ctx, "update accounts set balance = balance + 10 where id = 1"); err != nil {
					return 0, err
				}
			}
			_, err = tx.Exec(ctx, setBalance, 1, n+1)
			tx.Queue(setBalance, 2, n+1)
			return 0, err
		}, txn.Trace(r), txn.Name("pay"))
		require.NoError(t, err)
		require.Equal(t, []string{
			"call pay",
			"attempt 1", "/call/attempt 1 ends, committed false, retryable true, 40001",
			"attempt 2", "/call/attempt 2 ends, committed false, retryable true, 40001",
			"wait after 2", "/call/wait ends, error false",
			"attempt 3",
			"commit with 1", "/call/attempt/commit committed, error false",
			"/call/attempt 3 ends, committed true, retryable false, ",
			"/call ends after 3, committed, error false",
		}, r.events)
	})
}

func TestTracerIsToldOfAPanic(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		r := &recorder{}
		require.Panics(t, func() {
			_ = txn.Run(t.Context(), db, func(context.Context, *txn.Tx) error { panic("boom") }, txn.Trace(r))
		})
		require.Equal(t, []string{
			"call ", "attempt 1", "/call/attempt 1 ends, committed false, retryable false, ", "/call ends after 0, rolled back, error false",
		}, r.events)
	})
}

func TestLog(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		var out bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, err := txn.RunInTx(t.Context(), db, collide(db, asIs), txn.Trace(trace.Log{Logger: logger}), txn.Name("pay"))
		require.NoError(t, err)
		require.Contains(t, out.String(), `level=INFO msg="transaction attempt rolled back" transaction=pay attempt=1 sqlstate=40001`)
		require.Contains(t, out.String(), `level=DEBUG msg="transaction committed" transaction=pay attempts=2`)
		out.Reset()
		err = txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, -1) }, txn.Trace(trace.Log{Logger: logger}))
		require.Error(t, err)
		require.Contains(t, out.String(), `level=INFO msg="transaction rolled back" transaction="" attempts=1`)
		require.Contains(t, out.String(), "sqlstate=23514")
		require.NotContains(t, out.String(), "violates")
	})
}

// statements records the events of pgx's tracer.
type statements struct {
	mu    sync.Mutex
	begun []string
	open  int
	ended []string
}

func (s *statements) TraceQueryStart(ctx context.Context, conn *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = append(s.begun, d.SQL)
	s.open++
	return context.WithValue(ctx, spanKey{}, d.SQL)
}

func (s *statements) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, d pgx.TraceQueryEndData) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.ended = append(s.ended, fmt.Sprintf("%s: %s %t", ctx.Value(spanKey{}), d.CommandTag, d.Err != nil))
}

func TestTracerOfPgxSeesWhatTravelsTogether(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, plain *pgxpool.Pool) {
		s := &statements{}
		pool := poolWith(t, db, func(c *pgxpool.Config) {
			c.ConnConfig.Tracer, c.ConnConfig.DefaultQueryExecMode = s, plain.Config().ConnConfig.DefaultQueryExecMode
		})
		for range 2 {
			*s = statements{}
			require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				if _, err := read(ctx, tx, 1); err != nil {
					return err
				}
				tx.Queue(setBalance, 1, 7)
				return nil
			}))
			require.Equal(t, []string{"begin isolation level serializable", "select balance from accounts where id = $1", setBalance, "commit"}, s.begun)
			require.Equal(t, []string{
				"begin isolation level serializable: BEGIN false", "select balance from accounts where id = $1: SELECT 1 false",
				setBalance + ": UPDATE 1 false", "commit: COMMIT false",
			}, s.ended)
			require.Zero(t, s.open)
		}
		*s = statements{}
		require.Error(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			tx.Queue(setBalance, 1, -1)
			tx.Queue(setBalance, 1, 7)
			return nil
		}))
		require.Zero(t, s.open, "also of those that were not carried out")
		if simple := plain.Config().ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol; simple && !db.Cockroach() {
			require.Contains(t, s.ended, "commit: ROLLBACK false", "so that it needs none")
		} else {
			require.Equal(t, "rollback", s.begun[len(s.begun)-1])
		}
	})
}
