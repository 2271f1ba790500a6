package txn

import (
	"context"
	"errors"
	"log/slog"
)

// LogTracer is a [Tracer] that logs to Logger: commits at level Debug, attempts that
// run again and failed calls at Info, calls whose outcome is unknown or that committed
// although something failed at Error. It logs SQLSTATEs and CockroachDB's reasons, but
// no text from the database. A nil Logger means slog.Default().
type LogTracer struct {
	NopTracer
	Logger *slog.Logger
}

func (t LogTracer) logger() *slog.Logger {
	if t.Logger == nil {
		return slog.Default()
	}
	return t.Logger
}

// TraceAttemptEnd logs an attempt that runs again.
func (t LogTracer) TraceAttemptEnd(ctx context.Context, data TraceAttemptEndData) {
	if !data.Retryable {
		return
	}
	t.logger().LogAttrs(ctx, slog.LevelInfo, "transaction attempt rolled back",
		slog.String("transaction", data.Name), slog.Int("attempt", data.Attempt),
		slog.String("sqlstate", data.SQLState), slog.String("reason", data.Reason))
}

// TraceCallEnd logs the end of a call.
func (t LogTracer) TraceCallEnd(ctx context.Context, data TraceCallEndData) {
	level, message := slog.LevelDebug, "transaction committed"
	if data.Err != nil {
		level, message = slog.LevelInfo, "transaction rolled back"
		var unknown *OutcomeUnknownError
		var committed *CommittedError
		switch {
		case errors.As(data.Err, &unknown):
			level, message = slog.LevelError, "transaction outcome unknown"
		case errors.As(data.Err, &committed):
			level, message = slog.LevelError, "transaction committed, but something went wrong"
		}
	}
	attrs := []slog.Attr{slog.String("transaction", data.Name), slog.Int("attempts", data.Attempts), slog.Duration("elapsed", data.Elapsed)}
	if pe := serverError(data.Err); pe != nil {
		attrs = append(attrs, slog.String("sqlstate", pe.Code))
	}
	t.logger().LogAttrs(ctx, level, message, attrs...)
}
