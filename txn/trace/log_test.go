package trace_test

import (
	"bytes"
	"errors"
	"log/slog"
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
