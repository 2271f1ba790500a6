package txn

import (
	"context"
	"errors"
	"log/slog"
)

// LogTracer is a [Tracer] that writes to a logger: at level Debug what is
// committed, at Info each attempt that is run again and each call that fails, at
// Error a call whose outcome is unknown or that was committed although something
// went wrong. It logs SQLSTATEs and CockroachDB's reasons, and no text of the
// database's. A nil Logger is slog.Default().
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

// TraceAttemptEnd logs an attempt that is run again.
func (t LogTracer) TraceAttemptEnd(ctx context.Context, data TraceAttemptEndData) {
	if !data.Retryable {
		return
	}
	t.logger().LogAttrs(ctx, slog.LevelInfo, "transaction attempt rolled back",
		slog.String("transaction", data.Name), slog.Int("attempt", data.Attempt),
		slog.String("sqlstate", data.SQLState), slog.String("reason", data.Reason))
}

// TraceCallEnd logs how a call ended.
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
