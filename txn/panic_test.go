package txn_test

import (
	"context"
	"database/sql/driver"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// trap is user code that this package or pgx runs, in all its forms. It panics once
// armed.
type trap struct {
	how   func() // nil: it is not armed
	where string
}

func (b *trap) at(where string) {
	if b.where == where && b.how != nil {
		how := b.how
		b.how = nil
		how()
	}
}

func (b *trap) Scan(any) error               { b.at("Scanner"); return nil }
func (b *trap) Value() (driver.Value, error) { b.at("Valuer"); return int64(1), nil }
func (b *trap) ScanRow(pgx.Rows) error       { b.at("RowScanner"); return nil }
func (b *trap) ScanInt64(pgtype.Int8) error  { b.at("codec"); return nil }
func (b *trap) Int64Value() (pgtype.Int8, error) {
	b.at("codec of an argument")
	return pgtype.Int8{Int64: 1, Valid: true}, nil
}
func (b *trap) Next() bool             { b.at("CopyFromSource"); return false }
func (b *trap) Values() ([]any, error) { return nil, nil }
func (b *trap) Err() error             { return nil }

func (b *trap) RewriteQuery(_ context.Context, _ *pgx.Conn, sql string, _ []any) (string, []any, error) {
	b.at("QueryRewriter")
	return sql, []any{1, 7}, nil
}

// rewriter implements no other interface that an argument may have.
type rewriter struct{ *trap }

type queryTracer struct{ *trap }

func (b queryTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	b.at("TraceQueryStart of " + firstWordOf(data.SQL))
	return context.WithValue(ctx, queryTracer{}, data.SQL)
}

func (b queryTracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	sql, _ := ctx.Value(queryTracer{}).(string)
	b.at("TraceQueryEnd of " + firstWordOf(sql))
}

func firstWordOf(sql string) string {
	word, _, _ := strings.Cut(sql, " ")
	return word
}

type callTracer struct {
	trace.Nop
	*trap
}

func (b callTracer) TraceCallStart(ctx context.Context, _ trace.CallStart) context.Context {
	b.at("TraceCallStart")
	return ctx
}
func (b callTracer) TraceCallEnd(context.Context, trace.CallEnd) { b.at("TraceCallEnd") }
func (b callTracer) TraceAttemptStart(ctx context.Context, _ trace.AttemptStart) context.Context {
	b.at("TraceAttemptStart")
	return ctx
}
func (b callTracer) TraceAttemptEnd(context.Context, trace.AttemptEnd) {
	b.at("TraceAttemptEnd")
}
func (b callTracer) TraceCommitStart(ctx context.Context, _ trace.CommitStart) context.Context {
	b.at("TraceCommitStart")
	return ctx
}
func (b callTracer) TraceCommitEnd(context.Context, trace.CommitEnd) { b.at("TraceCommitEnd") }

// traps maps the places of a trap to functions that reach them. Each writes row 1, so a
// commit shows.
var traps = map[string]func(ctx context.Context, tx *txn.Tx, b *trap) error{
	"Scanner": func(ctx context.Context, tx *txn.Tx, b *trap) error {
		return tx.QueryRow(ctx, "update accounts set balance = 7 where id = 1 returning balance").Scan(scanner{b})
	},
	"RowScanner": func(ctx context.Context, tx *txn.Tx, b *trap) error {
		return tx.QueryRow(ctx, "update accounts set balance = 7 where id = 1 returning balance").Scan(rowScanner{b})
	},
	"codec": func(ctx context.Context, tx *txn.Tx, b *trap) error {
		return tx.QueryRow(ctx, "update accounts set balance = 7 where id = 1 returning balance").Scan(int8Scanner{b})
	},
	"codec of an argument": func(ctx context.Context, tx *txn.Tx, b *trap) error {
		_, err := tx.Exec(ctx, "update accounts set balance = 7 where id = $1", int8Valuer{b})
		return err
	},
	"Valuer": func(ctx context.Context, tx *txn.Tx, b *trap) error {
		_, err := tx.Exec(ctx, "update accounts set balance = 7 where id = $1", valuer{b})
		return err
	},
	"Valuer/queued": func(ctx context.Context, tx *txn.Tx, b *trap) error {
		tx.Queue("update accounts set balance = 7 where id = $1", valuer{b})
		return nil
	},
	"Scanner/rows": func(ctx context.Context, tx *txn.Tx, b *trap) error {
		rows, err := tx.Query(ctx, "update accounts set balance = 7 returning balance")
		if err != nil {
			return err
		}
		for rows.Next() {
			if err := rows.Scan(scanner{b}); err != nil {
				return err
			}
		}
		return rows.Err()
	},
	"Scanner/batch": func(ctx context.Context, tx *txn.Tx, b *trap) error {
		var batch pgx.Batch
		batch.Queue("update accounts set balance = 7 where id = 1 returning balance").QueryRow(func(row pgx.Row) error { return row.Scan(scanner{b}) })
		batch.Queue("select 1")
		return tx.SendBatch(ctx, &batch).Close()
	},
	"Scanner/joined": func(ctx context.Context, tx *txn.Tx, b *trap) error {
		return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
			return tx.QueryRow(ctx, "update accounts set balance = 7 where id = 1 returning balance").Scan(scanner{b})
		})
	},
	"QueryRewriter": func(ctx context.Context, tx *txn.Tx, b *trap) error {
		_, err := tx.Exec(ctx, setBalance, rewriter{b})
		return err
	},
	"CopyFromSource": func(ctx context.Context, tx *txn.Tx, b *trap) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"accounts"}, []string{"id", "balance"}, copySource{b})
		if err == nil {
			err = write(ctx, tx, 1, 7)
		}
		return err
	},
}

type (
	scanner     struct{ b *trap }
	rowScanner  struct{ b *trap }
	int8Scanner struct{ b *trap }
	int8Valuer  struct{ b *trap }
	valuer      struct{ b *trap }
	copySource  struct{ b *trap }
)

func (s scanner) Scan(v any) error                    { return s.b.Scan(v) }
func (s rowScanner) ScanRow(rows pgx.Rows) error      { return s.b.ScanRow(rows) }
func (s int8Scanner) ScanInt64(v pgtype.Int8) error   { return s.b.ScanInt64(v) }
func (s int8Valuer) Int64Value() (pgtype.Int8, error) { return s.b.Int64Value() }
func (s valuer) Value() (driver.Value, error)         { return s.b.Value() }
func (s copySource) Next() bool                       { return s.b.Next() }
func (s copySource) Values() ([]any, error)           { return s.b.Values() }
func (s copySource) Err() error                       { return s.b.Err() }
func (r rewriter) RewriteQuery(ctx context.Context, c *pgx.Conn, sql string, args []any) (string, []any, error) {
	return r.trap.RewriteQuery(ctx, c, sql, args)
}

func init() {
	plain := func(ctx context.Context, tx *txn.Tx, _ *trap) error { return write(ctx, tx, 1, 7) }
	for _, where := range []string{
		"TraceQueryStart of begin", "TraceQueryEnd of begin", "TraceQueryStart of update", "TraceQueryEnd of update",
		"TraceQueryStart of commit", "TraceQueryEnd of commit",
		"TraceCallStart", "TraceCallEnd", "TraceAttemptStart", "TraceAttemptEnd", "TraceCommitStart", "TraceCommitEnd",
	} {
		traps[where] = plain
	}
	failing := func(ctx context.Context, tx *txn.Tx, _ *trap) error {
		if err := write(ctx, tx, 1, 7); err != nil {
			return err
		}
		return context.DeadlineExceeded // of something else
	}
	traps["TraceQueryStart of rollback"], traps["TraceQueryEnd of rollback"] = failing, failing
}

// Any user code panics or ends its goroutine, early or late in the transaction: the
// connection comes back, and its next user is unaffected.
func TestPanicAnywhere(t *testing.T) {
	t.Parallel()
	ends := map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit}
	for name, f := range traps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where, _, _ := strings.Cut(name, "/")
			eachMode(t, func(t *testing.T, db *dbtest.DB, plain *pgxpool.Pool) {
				b := &trap{where: where}
				config := plain.Config()
				config.ConnConfig.Tracer = queryTracer{b}
				pool, err := pgxpool.NewWithConfig(t.Context(), config)
				require.NoError(t, err)
				t.Cleanup(pool.Close)
				databases := []txn.DB{pool, wrapper{pool}}
				if strings.HasPrefix(where, "TraceQuery") {
					databases = databases[:1] // pgx's own methods lose the connection then
				}
				for end, how := range ends {
					if where == "CopyFromSource" && end == "Goexit" {
						continue // it ends a goroutine of pgx's, which pgx waits for
					}
					for _, d := range databases {
						for _, first := range []bool{true, false} {
							_, err := db.Exec(t.Context(), "update accounts set balance = 100")
							require.NoError(t, err)
							if first && strings.HasPrefix(where, "Trace") {
								b.how = how
							}
							ended := make(chan struct{})
							go func() {
								defer close(ended)
								defer func() { _ = recover() }()
								_ = txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
									if !first {
										if _, err := read(ctx, tx, 2); err != nil {
											return err
										}
									}
									b.how = how
									return f(ctx, tx, b)
								}, txn.Trace(callTracer{trap: b}))
							}()
							<-ended
							b.how = nil
							requireGivenBack(t, pool)
							if n := balance(t, db, 1); n != 100 {
								require.Equal(t, 7, n, "%s, %s", name, end)
							}
							for i := range 3 {
								require.NoError(t, txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
									tx.Queue(setBalance, 2, i)
									return write(ctx, tx, 1, i)
								}), "%s: the next one on the connection", end)
								require.Equal(t, i, balance(t, db, 1))
								require.Equal(t, i, balance(t, db, 2))
							}
						}
					}
				}
			})
		})
	}
}
