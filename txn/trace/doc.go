// Package trace defines what observes the calls of package txn, and has a Tracer that
// logs to log/slog.
//
//	err := txn.Run(ctx, pool, transfer, txn.Name("transfer"), txn.Trace(trace.Log{}))
//
// pgx's own tracers, such as otelpgx, see the statements; a [Tracer] sees calls,
// attempts, commits and waits.
package trace
