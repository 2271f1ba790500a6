package trace_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/txn/trace"
)

func TestLogLevelsFollowTheOutcome(t *testing.T) {
	t.Parallel()
	failure := errors.New("text of the database")
	for want, data := range map[string]trace.CallEnd{
		`level=DEBUG msg="transaction committed"`:                           {Outcome: trace.Committed},
		`level=INFO msg="transaction rolled back"`:                          {Outcome: trace.RolledBack, Err: failure, SQLState: "23514"},
		`level=ERROR msg="transaction outcome unknown"`:                     {Outcome: trace.Unknown, Err: failure},
		`level=ERROR msg="transaction committed, but something went wrong"`: {Outcome: trace.Committed, Err: failure},
	} {
		var out bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		trace.Log{Logger: logger}.TraceCallEnd(t.Context(), data)
		require.Contains(t, out.String(), want)
		require.NotContains(t, out.String(), failure.Error())
		require.Equal(t, data.SQLState != "", bytes.Contains(out.Bytes(), []byte("sqlstate=23514")))
	}
}

func ExampleLog() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{} // for an output that is always the same
			}
			return a
		},
	}))
	tracer := trace.Log{Logger: logger} // given to calls by txn.Trace(tracer)

	// txn calls it when an attempt lost a conflict.
	tracer.TraceAttemptEnd(context.Background(), trace.AttemptEnd{Name: "transfer", Attempt: 1, Retryable: true, SQLState: "40001"})
	// Output:
	// level=INFO msg="transaction attempt rolled back" transaction=transfer attempt=1 sqlstate=40001 reason=""
}
