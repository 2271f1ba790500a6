package txn_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
	"github.com/rowkeeper/rowkeeper/txn"
)

// answer is an error that replaces the tag of COMMIT's answer.
func answer(severity, code, source string) *pgproto3.ErrorResponse {
	e := &pgproto3.ErrorResponse{Severity: severity, SeverityUnlocalized: severity, Code: code, Message: "injected"}
	switch source {
	case "postgres":
		e.File, e.Line, e.Routine = "xact.c", 1, "CommitTransaction"
	case "cockroach":
		e.File, e.Line, e.Routine = "conn_executor_exec.go", 1, "execStmtInOpenState"
	}
	return e
}

// asRollback makes the server roll back instead of commit, once.
func asRollback() faultnet.Hook {
	done := false
	return func(m faultnet.Message) faultnet.Action {
		if done || m.From != faultnet.FromClient || m.SQL() != "commit" || m.Type != 'Q' && m.Type != 'B' {
			return faultnet.Pass()
		}
		done = true
		if m.Type == 'Q' {
			return faultnet.Replace(faultnet.Encode(&pgproto3.Query{String: "rollback"}))
		}
		return faultnet.Replace(faultnet.Encode(&pgproto3.Bind{PreparedStatement: preparedRollback}))
	}
}

// answering replaces the tag that answers COMMIT, or the ROLLBACK in its place, once. A
// fatal error ends the connection.
func answering(e *pgproto3.ErrorResponse) faultnet.Hook {
	done, cut := false, false
	return func(m faultnet.Message) faultnet.Action {
		switch {
		case cut && m.From == faultnet.FromServer:
			cut = false
			return faultnet.CutBefore(faultnet.CloseBoth)
		case done || m.From != faultnet.FromServer || m.Tag() != "COMMIT" && m.Tag() != "ROLLBACK":
			return faultnet.Pass()
		}
		done, cut = true, e.Severity != "ERROR"
		return faultnet.Replace(faultnet.Encode(e))
	}
}

// TestAnswersToCommit goes through the answers that COMMIT may get. If an answer proves
// a rollback, the server really rolled back. If it proves nothing, both outcomes are
// tried.
func TestAnswersToCommit(t *testing.T) {
	const again = claim("rolled back and run again")
	for _, test := range []struct {
		code, severity, source string
		postgres, cockroach    claim
	}{
		{"40001", "ERROR", "postgres", again, again},
		{"40001", "ERROR", "cockroach", again, again},
		{"40001", "ERROR", "", again, again},
		{"40P01", "ERROR", "postgres", again, again},
		{"25P02", "ERROR", "postgres", rolledBack, rolledBack},
		{"23503", "ERROR", "postgres", rolledBack, rolledBack},
		{"23505", "ERROR", "", rolledBack, rolledBack},
		{"57014", "ERROR", "postgres", rolledBack, unknown},
		{"57014", "ERROR", "cockroach", unknown, unknown},
		{"57014", "ERROR", "", unknown, unknown},
		{"53100", "ERROR", "postgres", rolledBack, unknown},
		{"40003", "ERROR", "cockroach", unknown, unknown},
		{"58C00", "ERROR", "cockroach", unknown, unknown},
		{"58C01", "ERROR", "cockroach", unknown, unknown},
		{"XXUUU", "ERROR", "cockroach", unknown, unknown},
		{"08006", "ERROR", "", unknown, unknown},
		{"08P01", "FATAL", "", unknown, unknown},
		{"57P01", "FATAL", "postgres", unknown, unknown},
		{"57P01", "FATAL", "cockroach", unknown, unknown},
		{"57P02", "FATAL", "postgres", unknown, unknown},
		{"40001", "FATAL", "postgres", unknown, unknown},
		{"XX000", "PANIC", "postgres", unknown, unknown},
		{"25P03", "FATAL", "postgres", rolledBack, unknown},
		{"25P04", "FATAL", "postgres", rolledBack, unknown},
		{"25P03", "FATAL", "", unknown, unknown},
		{"XXA00", "ERROR", "cockroach", committed, committed},
	} {
		name := strings.TrimSpace(test.severity + " " + test.code + " " + test.source)
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f := withFaults(t, db)
				want := test.postgres
				if db.Cockroach() {
					want = test.cockroach
				}
				call := 0
				for shapeName, shape := range shapes {
					for _, carriedOut := range []bool{true, false} {
						if carriedOut && (want == rolledBack || want == again) || !carriedOut && want == committed {
							continue // a server that answers so has not done so
						}
						f.warm(t)
						hooks := []faultnet.Hook{answering(answer(test.severity, test.code, test.source))}
						if !carriedOut {
							hooks = append(hooks, asRollback())
						}
						f.proxy.SetHook(faultnet.Hooks(hooks...))
						call++
						attempt, err := txn.RunInTx(t.Context(), f.pool, shape(call))
						f.proxy.SetHook(nil)
						if want == again {
							require.NoError(t, err, shapeName)
							require.Equal(t, 2, attempt, shapeName)
							f.judge(t, call, attempt, err)
							continue
						}
						require.Equal(t, want, f.judge(t, call, attempt, err), "%s, carried out %t: %v", shapeName, carriedOut, err)
						if test.severity != "PANIC" { // which pgx may lose for the end of the connection behind it
							requireCode(t, err, test.code)
						}
						if want == unknown {
							require.Len(t, f.effects(t, call), map[bool]int{true: 1, false: 0}[carriedOut], shapeName)
						}
					}
				}
			})
		})
	}
}

// TestLostAt loses the connection at each place of a transaction.
func TestLostAt(t *testing.T) {
	const again = claim("rolled back and run again")
	server := faultnet.FromServer
	isCommit := faultnet.Executes("commit")
	isWrite := faultnet.Executes(insertEffect)
	everyShape := func(c claim) map[string]claim {
		return map[string]claim{"all in one packet": c, "COMMIT with the write": c, "COMMIT alone": c}
	}
	for _, test := range []struct {
		name   string
		at     faultnet.Match
		action faultnet.Action
		want   map[string]claim
	}{
		// Once BEGIN, the write and COMMIT are on the wire together, nothing shows how
		// far they came.
		{"BEGIN lost", faultnet.Executes("begin isolation level serializable"), faultnet.CutBefore(faultnet.ResetBoth),
			map[string]claim{"all in one packet": unknown, "COMMIT with the write": again, "COMMIT alone": again}},
		{"answer to BEGIN lost", faultnet.Completes("BEGIN"), faultnet.CutBefore(faultnet.ResetClient),
			map[string]claim{"all in one packet": unknown, "COMMIT with the write": again, "COMMIT alone": again}},
		{"write lost", isWrite, faultnet.CutBefore(faultnet.ResetBoth),
			map[string]claim{"all in one packet": unknown, "COMMIT with the write": unknown, "COMMIT alone": again}},
		{"half of the write", isWrite, faultnet.Truncate(7, faultnet.CloseBoth),
			map[string]claim{"all in one packet": unknown, "COMMIT with the write": unknown, "COMMIT alone": again}},
		{"answer to the write lost", faultnet.Completes("INSERT 0 1"), faultnet.CutBefore(faultnet.ResetClient),
			map[string]claim{"all in one packet": unknown, "COMMIT with the write": unknown, "COMMIT alone": again}},
		{"COMMIT lost", isCommit, faultnet.CutBefore(faultnet.ResetBoth), everyShape(unknown)},
		{"COMMIT lost, orderly", isCommit, faultnet.CutBefore(faultnet.CloseBoth), everyShape(unknown)},
		{"half of COMMIT", isCommit, faultnet.Truncate(3, faultnet.ResetBoth), everyShape(unknown)},
		{"answer to COMMIT lost", faultnet.Completes("COMMIT"), faultnet.CutBefore(faultnet.ResetBoth), everyShape(unknown)},
		{"half of the answer", faultnet.Completes("COMMIT"), faultnet.Truncate(5, faultnet.ResetBoth), everyShape(unknown)},
		{"end of the answer lost", faultnet.Completes("COMMIT").Then(faultnet.Of(server, 'Z')), faultnet.CutBefore(faultnet.ResetBoth), everyShape(committed)},
		{"end of the answer lost, orderly", faultnet.Completes("COMMIT").Then(faultnet.Of(server, 'Z')), faultnet.CutBefore(faultnet.CloseBoth), everyShape(committed)},
	} {
		t.Run(test.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f := withFaults(t, db)
				type told struct {
					call, attempt int
					err           error
					want          claim
				}
				var all []told
				for name, want := range test.want {
					f.warm(t)
					hook, seen := faultnet.On(test.at, test.action)
					f.proxy.SetHook(hook)
					call := len(all) + 1
					attempt, err := txn.RunInTx(t.Context(), f.pool, shapes[name](call))
					<-seen
					f.proxy.SetHook(nil)
					f.proxy.Cut(0, faultnet.ResetBoth) // also the sessions that noticed nothing
					if want == again {
						require.NoError(t, err, name)
						require.Equal(t, 2, attempt, name)
						want = committed
					}
					all = append(all, told{call, attempt, err, want})
				}
				f.pool.Close()
				f.proxy.Close()
				f.gone(t)
				for _, c := range all {
					require.Equal(t, c.want, f.judge(t, c.call, c.attempt, c.err), "%v", c.err)
				}
			})
		})
	}
}

// The COMMIT is held in the network, the client gives up, and then the COMMIT arrives.
func TestZombieCommit(t *testing.T) {
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f := withFaults(t, db)
				f.warm(t)
				late := make(chan struct{})
				hook, _ := faultnet.On(faultnet.Executes("commit"), faultnet.Zombie(late, faultnet.ResetClient))
				f.proxy.SetHook(hook)
				attempt, err := txn.RunInTx(t.Context(), f.pool, shape(1))
				require.Equal(t, unknown, claimOf(err))
				require.Equal(t, 0, attempt)
				close(late)
				require.Eventually(t, func() bool { return len(f.effects(t, 1)) == 1 }, eventually, tick)
			})
		})
	}
}

// brokenPipe delivers the written bytes, and then reports that it could not.
type brokenPipe struct {
	net.Conn
	breaks *atomic.Bool
}

func (c *brokenPipe) Write(b []byte) (int, error) {
	if !c.breaks.Load() {
		return c.Conn.Write(b)
	}
	_, _ = c.Conn.Write(b)
	return len(b) - 1, errors.New("broken pipe")
}

// A write that failed in part may have delivered the whole COMMIT.
func TestCommitWrittenInPart(t *testing.T) {
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				var breaks atomic.Bool
				f := withFaults(t, db, func(c *pgxpool.Config) {
					dial := c.ConnConfig.DialFunc
					c.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
						conn, err := dial(ctx, network, addr)
						return &brokenPipe{conn, &breaks}, err
					}
				})
				f.warm(t)
				attempt, err := txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
					n, err := shape(1)(ctx, tx)
					breaks.Store(true)
					return n, err
				})
				breaks.Store(false)
				if !db.Cockroach() { // which may give it up when the connection ends behind it
					require.Eventually(t, func() bool { return len(f.effects(t, 1)) == 1 }, eventually, tick)
				}
				f.pool.Close()
				f.gone(t)
				require.Equal(t, unknown, f.judge(t, 1, attempt, err))
			})
		})
	}
}

// Only a COMMIT that was certainly not sent is a definite rollback, and is run again.
func TestCommitThatCouldNotBeSent(t *testing.T) {
	for _, name := range []string{"COMMIT with the write", "COMMIT alone"} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f := withFaults(t, db)
				f.warm(t)
				attempt, err := txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
					n, err := shapes[name](1)(ctx, tx)
					if err == nil && tx.Attempt() == 1 {
						require.NoError(t, tx.Conn().PgConn().Conn().Close()) // what was queued is sent before
						if name == "COMMIT with the write" {
							tx.Queue("select 1")
						}
					}
					return n, err
				})
				require.NoError(t, err)
				require.Equal(t, 2, attempt)
				f.judge(t, 1, attempt, err)
			})
		})
	}
}
