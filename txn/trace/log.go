package trace

import (
	"context"
	"log/slog"
)

// Log is a [Tracer] that logs to Logger: commits at level Debug, attempts that run
// again and failed calls at Info, calls whose outcome is unknown or that committed
// although something failed at Error. It logs SQLSTATEs and CockroachDB's reasons, but
// no text from the database. A nil Logger means slog.Default().
type Log struct {
	Nop
	Logger *slog.Logger
}

func (t Log) logger() *slog.Logger {
	if t.Logger == nil {
		return slog.Default()
	}
	return t.Logger
}

// TraceAttemptEnd logs an attempt that runs again.
func (t Log) TraceAttemptEnd(ctx context.Context, data AttemptEnd) {
	if !data.Retryable {
		return
	}
	t.logger().LogAttrs(ctx, slog.LevelInfo, "transaction attempt rolled back",
		slog.String("transaction", data.Name), slog.Int("attempt", data.Attempt),
		slog.String("sqlstate", data.SQLState), slog.String("reason", data.Reason))
}

// TraceCallEnd logs the end of a call.
func (t Log) TraceCallEnd(ctx context.Context, data CallEnd) {
	level, message := slog.LevelDebug, "transaction committed"
	switch {
	case data.Outcome == Unknown:
		level, message = slog.LevelError, "transaction outcome unknown"
	case data.Outcome == Committed && data.Err != nil:
		level, message = slog.LevelError, "transaction committed, but something went wrong"
	case data.Outcome != Committed:
		level, message = slog.LevelInfo, "transaction rolled back"
	}
	attrs := []slog.Attr{slog.String("transaction", data.Name), slog.Int("attempts", data.Attempts), slog.Duration("elapsed", data.Elapsed)}
	if data.SQLState != "" {
		attrs = append(attrs, slog.String("sqlstate", data.SQLState))
	}
	t.logger().LogAttrs(ctx, level, message, attrs...)
}
