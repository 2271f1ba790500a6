package faultnet_test

import (
	"context"
	"net"
	"slices"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
)

// cutsOfClient are the cuts that the client sees, so that its error comes soon.
var cutsOfClient = slices.DeleteFunc(faultnet.Cuts(), func(c faultnet.Cut) bool { return !c.Reaches(faultnet.FromClient) })

func TestCutBeforeCommit(t *testing.T) {
	for name, client := range clients {
		t.Run(name, func(t *testing.T) {
			for _, action := range []func(faultnet.Cut) faultnet.Action{
				faultnet.CutBefore,
				func(c faultnet.Cut) faultnet.Action { return faultnet.Truncate(4, c) }, // in the length
				func(c faultnet.Cut) faultnet.Action { return faultnet.Truncate(7, c) }, // in the text
			} {
				for _, cut := range cutsOfClient {
					dbtestEach(t, cut.String(), func(t *testing.T, db *dbtest.DB) {
						p := start(t, db)
						conn := connect(t, p, db)
						hook, seen := faultnet.On(faultnet.Executes("commit"), action(cut))
						p.SetHook(hook)
						require.Error(t, client(t.Context(), conn, 1))
						await(t, seen)
						p.Close() // or an orphaned session may hold its locks
						require.Zero(t, rows(t, db))
					})
				}
			}
		})
	}
}

func TestCutAfterCommit(t *testing.T) {
	for name, client := range clients {
		t.Run(name, func(t *testing.T) {
			for _, cut := range []faultnet.Cut{faultnet.ResetClient, faultnet.CloseClient} { // so that the server is sure to go on
				dbtestEach(t, cut.String(), func(t *testing.T, db *dbtest.DB) {
					p := start(t, db)
					conn := connect(t, p, db)
					commit := faultnet.Executes("commit")
					if name == "pipelined" {
						commit = commit.Then(faultnet.Of(faultnet.FromClient, 'S')) // or there is no answer
					}
					lost, _ := faultnet.On(commit, faultnet.CutAfter(cut))
					answer, committed := faultnet.On(faultnet.Completes("COMMIT"), faultnet.Pass())
					p.SetHook(faultnet.Hooks(lost, answer))
					require.Error(t, client(t.Context(), conn, 1))
					await(t, committed)
					require.Equal(t, 1, rows(t, db))
				})
			}
		})
	}
}

func TestAnswerLost(t *testing.T) {
	for name, client := range clients {
		t.Run(name, func(t *testing.T) {
			for _, action := range []func(faultnet.Cut) faultnet.Action{
				faultnet.CutBefore,
				func(c faultnet.Cut) faultnet.Action { return faultnet.Truncate(3, c) },
			} {
				for _, cut := range cutsOfClient {
					dbtestEach(t, cut.String(), func(t *testing.T, db *dbtest.DB) {
						p := start(t, db)
						conn := connect(t, p, db)
						hook, _ := faultnet.On(faultnet.Completes("COMMIT"), action(cut))
						p.SetHook(hook)
						require.Error(t, client(t.Context(), conn, 1))
						require.Equal(t, 1, rows(t, db))
					})
				}
			}
		})
	}
}

// A cut leaves exactly the bytes before it, and the peer sees the kind of cut.
func TestCutIsExact(t *testing.T) {
	whole := []byte("C\x00\x00\x00\x0bCOMMIT\x00")
	for _, cut := range cutsOfClient {
		for name, test := range map[string]struct {
			action faultnet.Action
			want   []byte
		}{
			"before": {faultnet.CutBefore(cut), []byte{}},
			"after":  {faultnet.CutAfter(cut), whole},
			"half":   {faultnet.Truncate(8, cut), whole[:8]},
		} {
			dbtestEach(t, name+" "+cut.String(), func(t *testing.T, db *dbtest.DB) {
				p := start(t, db)
				var wire *recorder
				c := config(p, db)
				c.AfterNetConnect = func(_ context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
					wire = &recorder{Conn: conn, ended: make(chan struct{})}
					return wire, nil
				}
				conn, err := pgx.ConnectConfig(t.Context(), c)
				require.NoError(t, err)
				t.Cleanup(func() {
					p.Close()
					conn.Close(context.Background())
				})
				_, err = conn.Exec(t.Context(), "begin")
				require.NoError(t, err)
				wire.forget()
				hook, _ := faultnet.On(faultnet.Completes("COMMIT"), test.action)
				p.SetHook(hook)
				query(t, conn, "commit")
				got, err := wire.rest(t)
				require.Equal(t, test.want, got, "%v", err)
				switch cut {
				case faultnet.ResetClient, faultnet.ResetBoth:
					require.ErrorIs(t, err, syscall.ECONNRESET)
				default:
					require.NoError(t, err)
				}
			})
		}
	}
}

func TestZombieCommit(t *testing.T) {
	for name, client := range clients {
		t.Run(name, func(t *testing.T) {
			for _, cut := range []faultnet.Cut{faultnet.ResetClient, faultnet.CloseClient} {
				dbtestEach(t, cut.String(), func(t *testing.T, db *dbtest.DB) {
					p := start(t, db)
					conn := connect(t, p, db)
					release := make(chan struct{})
					zombie, _ := faultnet.On(faultnet.Executes("commit"), faultnet.Zombie(release, cut))
					answer, committed := faultnet.On(faultnet.Completes("COMMIT"), faultnet.Pass())
					p.SetHook(faultnet.Hooks(zombie, answer))
					require.Error(t, client(t.Context(), conn, 1))
					if !db.Cockroach() { // there a reader waits for the writer
						require.Zero(t, rows(t, db))
					}
					select {
					case <-committed:
						t.Fatal("nothing held it")
					default:
					}
					close(release)
					await(t, committed)
					require.Equal(t, 1, rows(t, db))
				})
			}
		})
	}
}

// A client that gives up by itself leaves in the network whatever it had sent.
func TestHoldOutlastsTheClient(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB may give up a COMMIT when the client closes right behind it")
		}
		p := start(t, db)
		conn := connect(t, p, db)
		ctx, giveUp := context.WithCancel(t.Context())
		release := make(chan struct{})
		held, arrived := faultnet.On(faultnet.Executes("commit"), faultnet.Hold(release))
		answer, committed := faultnet.On(faultnet.Completes("COMMIT"), faultnet.Pass())
		p.SetHook(faultnet.Hooks(held, answer))
		go func() {
			<-arrived
			giveUp()
		}()
		require.ErrorIs(t, transaction(ctx, conn, 1), context.Canceled)
		close(release)
		await(t, committed)
		require.Equal(t, 1, rows(t, db))
	})
}

func TestHoldForAWhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		p := start(t, db)
		conn := connect(t, p, db)
		release := make(chan struct{})
		held, arrived := faultnet.On(faultnet.Completes("COMMIT"), faultnet.Hold(release))
		p.SetHook(held)
		ended := make(chan error, 1)
		go func() { ended <- transaction(t.Context(), conn, 1) }()
		await(t, arrived)
		require.Equal(t, 1, rows(t, db), "committed, but the client does not know")
		require.Empty(t, ended)
		close(release)
		require.NoError(t, <-ended)
		require.NoError(t, transaction(t.Context(), conn, 2), "the connection goes on")
	})
}

func TestSilence(t *testing.T) {
	for name, match := range map[string]faultnet.Match{
		"question": faultnet.Executes("commit"),
		"answer":   faultnet.Completes("COMMIT"),
	} {
		dbtestEach(t, name, func(t *testing.T, db *dbtest.DB) {
			p := start(t, db)
			conn := connect(t, p, db)
			ctx, giveUp := context.WithCancel(t.Context())
			hook, seen := faultnet.On(match, faultnet.Silence())
			p.SetHook(hook)
			go func() {
				<-seen
				giveUp()
			}()
			require.ErrorIs(t, transaction(ctx, conn, 1), context.Canceled)
			p.Close()
			want := 0
			if name == "answer" {
				want = 1
			}
			require.Equal(t, want, rows(t, db))
		})
	}
}

func TestReplaceAndDrop(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		p := start(t, db)
		conn := connect(t, p, db)
		failed := faultnet.Encode(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "57014", Message: "injected"})
		hook, _ := faultnet.On(faultnet.Completes("COMMIT"), faultnet.Replace(failed))
		p.SetHook(hook)
		var pgErr *pgconn.PgError
		require.ErrorAs(t, transaction(t.Context(), conn, 1), &pgErr)
		require.Equal(t, "57014", pgErr.Code)
		require.Equal(t, 1, rows(t, db))

		notice := faultnet.Encode(&pgproto3.NoticeResponse{Severity: "NOTICE", Message: "a"})
		var index []int
		p.SetHook(func(m faultnet.Message) faultnet.Action {
			if m.From == faultnet.FromServer {
				index = append(index, m.Index)
			}
			switch {
			case m.Type == 'D' && m.From == faultnet.FromServer:
				return faultnet.Drop()
			case m.Tag() == "SELECT 1": // several, around the one that was there
				return faultnet.Replace(slices.Concat(notice, m.Data, notice))
			}
			return faultnet.Pass()
		})
		var n int
		require.ErrorIs(t, conn.QueryRow(t.Context(), "select 1").Scan(&n), pgx.ErrNoRows)
		require.True(t, slices.IsSorted(index))
		p.SetHook(nil)
		require.NoError(t, conn.QueryRow(t.Context(), "select 1").Scan(&n), "the connection goes on")
	})
}

// An orphaned session is one whose server has noticed nothing.
func TestOrphanKeepsItsLocks(t *testing.T) {
	for _, way := range []faultnet.Cut{faultnet.ResetServer, faultnet.CloseServer} {
		dbtestEach(t, way.String(), func(t *testing.T, db *dbtest.DB) {
			p := start(t, db)
			conn := connect(t, p, db)
			require.NoError(t, transaction(t.Context(), conn, 1))
			_, err := conn.Exec(t.Context(), "begin")
			require.NoError(t, err)
			_, err = conn.Exec(t.Context(), "delete from t where id = 1")
			require.NoError(t, err)
			p.Cut(1, faultnet.ResetClient)
			require.Error(t, conn.Ping(t.Context()))

			var pgErr *pgconn.PgError
			_, err = db.Exec(t.Context(), "select * from t where id = 1 for update nowait")
			require.ErrorAs(t, err, &pgErr)
			require.Equal(t, "55P03", pgErr.Code)
			p.Cut(1, way)
			tag, err := db.Exec(t.Context(), "select * from t where id = 1 for update") // waits until the server has undone it
			require.NoError(t, err)
			require.EqualValues(t, 1, tag.RowsAffected())
		})
	}
}

// The client of a server that is gone notices nothing until it is cut as well.
func TestServerSideAlone(t *testing.T) {
	for _, cut := range []faultnet.Cut{faultnet.ResetServer, faultnet.CloseServer} {
		dbtestEach(t, cut.String(), func(t *testing.T, db *dbtest.DB) {
			p := start(t, db)
			conn := connect(t, p, db)
			hook, seen := faultnet.On(faultnet.Executes("commit"), faultnet.CutBefore(cut))
			p.SetHook(hook)
			ended := make(chan error, 1)
			go func() { ended <- transaction(t.Context(), conn, 1) }()
			await(t, seen)
			require.Zero(t, rows(t, db))
			require.Empty(t, ended)
			p.Cut(0, faultnet.CloseClient)
			require.Error(t, <-ended)
		})
	}
}
