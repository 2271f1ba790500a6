package txn_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
	"github.com/rowkeeper/rowkeeper/txn"
)

// preparedSelect is the statement that a BEGIN is turned into.
const preparedSelect = "fault_select"

// withoutBegin makes the server execute a SELECT in place of BEGIN, once, as a pooler
// may that mixes up the statements of its clients.
func withoutBegin() faultnet.Hook {
	done := false
	return func(m faultnet.Message) faultnet.Action {
		text, found := strings.CutPrefix(m.SQL(), beginSerializable)
		if done || !found || m.From != faultnet.FromClient {
			return faultnet.Pass()
		}
		switch m.Type {
		case 'Q':
			done = true
			return faultnet.Replace(faultnet.Encode(&pgproto3.Query{String: "select 0" + text}))
		case 'P':
			return faultnet.Replace(faultnet.Encode(&pgproto3.Parse{Query: "select 0"}))
		case 'B':
			done = true
			return faultnet.Replace(faultnet.Encode(&pgproto3.Bind{PreparedStatement: preparedSelect}))
		}
		return faultnet.Pass()
	}
}

// After a BEGIN that was not executed, everything is committed with its packet, so
// nothing is reported as rolled back, and nothing more is sent.
func TestBeginThatIsAnotherStatement(t *testing.T) {
	for _, mode := range execModes() {
		for name, shape := range shapes {
			for _, warm := range []bool{true, false} {
				t.Run(mode.String()+"/"+name, func(t *testing.T) {
					dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
						f := withFaults(t, db, func(c *pgxpool.Config) {
							c.ConnConfig.DefaultQueryExecMode = mode
							prepare := c.AfterConnect
							c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
								if err := prepare(ctx, conn); err != nil {
									return err
								}
								_, err := conn.Prepare(ctx, preparedSelect, "select 0")
								return err
							}
						})
						if warm {
							f.warm(t)
						}
						f.proxy.SetHook(withoutBegin())
						attempt, err := txn.RunInTx(t.Context(), f.pool, shape(1))
						got := f.judge(t, 1, attempt, err)
						if got == unknown {
							require.ErrorContains(t, err, `was "SELECT 1", which is another statement's`)
						} else {
							require.Equal(t, committed, got, "%v", err)
							require.Equal(t, 2, attempt, "nothing but BEGIN was in the packet")
						}
						if warm && mode != pgx.QueryExecModeDescribeExec {
							require.Equal(t, unknown, got)
						}
						_, err = txn.RunInTx(t.Context(), f.pool, shape(2))
						require.NoError(t, err)
						require.EqualValues(t, 2, f.pool.Stat().NewConnsCount(), "the connection is not used again")
					})
				})
			}
		}
	}
}

// The answers to COMMIT and to savepoints are checked too.
func TestAnswerThatIsAnotherStatements(t *testing.T) {
	for tag, want := range map[string]claim{"COMMIT": unknown, "SAVEPOINT": committed, "RELEASE": committed, "SET": committed} {
		for _, mode := range execModes() {
			t.Run(tag+"/"+mode.String(), func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
					if tag == "SET" && db.Cockroach() {
						t.Skip("old versions have no SET LOCAL")
					}
					f := withFaults(t, db, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
					call := func(call int) (int, error) {
						return txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
							if _, err := tx.Exec(ctx, insertEffect, -1, 0); err != nil {
								return 0, err
							}
							sp, err := tx.Begin(ctx)
							if err != nil {
								return 0, err
							}
							if _, err := sp.Exec(ctx, insertEffect, call, tx.Attempt()); err != nil {
								return 0, err
							}
							if err := sp.Commit(ctx); err != nil {
								return 0, err
							}
							_, err = tx.Exec(ctx, insertEffect, -1, 0)
							return tx.Attempt(), err
						}, optionsFor(tag)...)
					}
					_, err := call(-1)
					require.NoError(t, err)
					hook, seen := faultnet.On(faultnet.Completes(tag), faultnet.Replace(faultnet.Encode(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})))
					f.proxy.SetHook(hook)
					attempt, err := call(1)
					<-seen
					require.Equal(t, want, f.judge(t, 1, attempt, err), "%v", err)
					if want == unknown {
						require.ErrorContains(t, err, `was "SELECT 1", which is another statement's`)
					} else {
						require.Equal(t, 2, attempt)
					}
				})
			})
		}
	}
}

func optionsFor(tag string) []txn.Option {
	if tag == "SET" {
		return []txn.Option{txn.Setting("work_mem", "1MB")}
	}
	return nil
}
