package trace_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// printer prints what happens in a call. Another tracer would make spans or count.
type printer struct{}

func (printer) TraceCallStart(ctx context.Context, call trace.CallStart) context.Context {
	fmt.Println("call", call.Name)
	return ctx
}

func (printer) TraceCallEnd(_ context.Context, call trace.CallEnd) {
	switch call.Outcome {
	case trace.Committed:
		fmt.Println("committed after", call.Attempts, "attempts")
	case trace.RolledBack:
		fmt.Println("rolled back:", call.Err)
	case trace.Unknown:
		fmt.Println("somebody must look what became of it:", call.Err)
	}
}

func (printer) TraceAttemptStart(ctx context.Context, a trace.AttemptStart) context.Context {
	fmt.Println("  attempt", a.Attempt)
	return ctx
}

func (printer) TraceAttemptEnd(_ context.Context, a trace.AttemptEnd) {
	if a.Retryable {
		fmt.Println("  again after SQLSTATE", a.SQLState)
	}
}

func (printer) TraceCommitStart(ctx context.Context, c trace.CommitStart) context.Context {
	fmt.Println("    COMMIT with", c.Queued, "queued statement")
	return ctx
}

func (printer) TraceCommitEnd(_ context.Context, c trace.CommitEnd) {
	fmt.Println("    " + c.Outcome)
}

func (printer) TraceWaitStart(ctx context.Context, w trace.WaitStart) context.Context {
	if w.ForPermit {
		fmt.Println("    waits behind", w.Ahead, "calls")
	}
	return ctx
}

func (printer) TraceWaitEnd(_ context.Context, w trace.WaitEnd) {
	if w.ForPermit && w.Err != nil {
		fmt.Println("    waited in vain:", w.Err)
	}
}

// counter connects to the database and creates a counter. The function that it returns
// drops it.
func counter(ctx context.Context) (pool *pgxpool.Pool, drop func()) {
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = pool.Exec(ctx, "create table counters (id bigint primary key, n bigint not null); insert into counters values (1, 0)")
	if err != nil {
		log.Fatal(err)
	}
	return pool, func() {
		if _, err := pool.Exec(ctx, "drop table counters"); err != nil {
			log.Fatal(err)
		}
		pool.Close()
	}
}

// increment is faster than another transaction that does the same, but not the first
// time.
func increment(ctx context.Context, pool *pgxpool.Pool, tracer trace.Tracer) error {
	return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "select n from counters where id = 1").Scan(&n); err != nil {
			return err
		}
		if tx.Attempt() == 1 { // the other one
			if _, err := pool.Exec(ctx, "update counters set n = n + 1 where id = 1"); err != nil {
				return err
			}
		}
		tx.Queue("update counters set n = $1 where id = 1", n+1)
		return nil
	}, txn.Name("increment"), txn.Trace(tracer))
}

// A tracer of one's own sees each attempt, COMMIT and wait of a call.
func ExampleTracer() {
	ctx := context.Background()
	pool, drop := counter(ctx)
	defer drop()

	if err := increment(ctx, pool, printer{}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// call increment
	//   attempt 1
	//     COMMIT with 1 queued statement
	//     rolled back
	//   again after SQLSTATE 40001
	//   attempt 2
	//     COMMIT with 1 queued statement
	//     committed
	// committed after 2 attempts
}

// retries counts the attempts that run again, and embeds Nop for all else.
type retries struct {
	trace.Nop
	n int
}

func (r *retries) TraceAttemptEnd(_ context.Context, a trace.AttemptEnd) {
	if a.Retryable {
		r.n++
	}
}

func ExampleNop() {
	ctx := context.Background()
	pool, drop := counter(ctx)
	defer drop()

	var r retries
	if err := increment(ctx, pool, &r); err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.n)
	// Output: 1
}

// A call that met a conflict, in the log of the service.
func ExampleLog() {
	ctx := context.Background()
	pool, drop := counter(ctx)
	defer drop()

	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug, // for what committed
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey, "elapsed", "reason": // which differ each time
				return slog.Attr{}
			}
			return a
		},
	}))
	if err := increment(ctx, pool, trace.Log{Logger: logger}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// level=INFO msg="transaction attempt rolled back" transaction=increment attempt=1 sqlstate=40001
	// level=DEBUG msg="transaction committed" transaction=increment attempts=2
}
