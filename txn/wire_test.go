package txn_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// wire is a connection to the database through a proxy that knows where one
// message ends and meddles with COMMIT alone.
type wire struct {
	request func() bool                        // whether to pass COMMIT on
	reply   func(kind byte, msg []byte) []byte // what to pass on of each message of its answer; nil: cut
}

func (w wire) connect(t *testing.T, db *dbtest.DB) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(db.URL)
	require.NoError(t, err)
	config.ConnConfig.RuntimeParams["search_path"] = db.Schema
	config.MaxConns = 1
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		server, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		near, far := net.Pipe()
		committing := new(atomic.Bool)
		down := func() { far.Close(); server.Close() }
		go func() {
			defer down()
			w.forward(far, server, committing)
		}()
		go func() {
			defer down()
			w.back(server, far, committing)
		}()
		return near, nil
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

func message(r io.Reader, typed bool) ([]byte, error) {
	head := make([]byte, 5)
	if !typed {
		head = head[:4]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head[len(head)-4:])-4)
	_, err := io.ReadFull(r, body)
	return append(head, body...), err
}

func (w wire) forward(client, server net.Conn, committing *atomic.Bool) {
	for typed := false; ; typed = true {
		msg, err := message(client, typed)
		if err != nil {
			return
		}
		if typed && msg[0] == 'Q' && string(msg[5:]) == "commit\x00" {
			committing.Store(true)
			if w.request != nil && !w.request() {
				return
			}
		}
		if _, err := server.Write(msg); err != nil {
			return
		}
	}
}

func (w wire) back(server, client net.Conn, committing *atomic.Bool) {
	for {
		msg, err := message(server, true)
		if err != nil {
			return
		}
		if committing.Load() && w.reply != nil {
			if msg = w.reply(msg[0], msg); msg == nil {
				return
			}
		}
		if _, err := client.Write(msg); err != nil {
			return
		}
	}
}

const (
	commandComplete = 'C'
	readyForQuery   = 'Z'
)

func deposit(ctx context.Context, tx *txn.Tx) (string, error) {
	_, err := tx.Exec(ctx, "update accounts set balance = balance + 1 where id = 1")
	return "deposited", err
}

func requireUnknown(t *testing.T, err error) {
	t.Helper()
	var unknown *txn.OutcomeUnknownError
	require.ErrorAs(t, err, &unknown)
	require.Error(t, unknown.Err)
	require.Equal(t, 1, unknown.Attempts)
}

func TestLostCommit(t *testing.T) {
	for _, test := range []struct {
		name    string
		wire    wire
		claim   func(t *testing.T, got string, err error)
		balance int
	}{
		{
			name:    "request lost",
			wire:    wire{request: func() bool { return false }},
			claim:   func(t *testing.T, got string, err error) { requireUnknown(t, err); require.Empty(t, got) },
			balance: 100,
		},
		{
			name: "answer lost",
			wire: wire{reply: func(kind byte, msg []byte) []byte {
				if kind == readyForQuery { // until then, so that it is committed by now
					return nil
				}
				return []byte{}
			}},
			claim:   func(t *testing.T, got string, err error) { requireUnknown(t, err); require.Empty(t, got) },
			balance: 101,
		},
		{
			name: "cut after the tag",
			wire: wire{reply: func(kind byte, msg []byte) []byte {
				if kind == readyForQuery {
					return nil
				}
				return msg
			}},
			claim: func(t *testing.T, got string, err error) {
				require.NoError(t, err)
				require.Equal(t, "deposited", got)
			},
			balance: 101,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				pool := test.wire.connect(t, db)
				got, err := txn.RunInTx(t.Context(), pool, deposit)
				test.claim(t, got, err)
				require.Equal(t, test.balance, balance(t, db, 1))
				require.Eventually(t, func() bool { return pool.Stat().AcquiredConns() == 0 }, 10*time.Second, time.Millisecond)
			})
		})
	}
}

// errorInsteadOfTag answers COMMIT, which the server carries out, with e.
func errorInsteadOfTag(e *pgproto3.ErrorResponse) wire {
	return wire{reply: func(kind byte, msg []byte) []byte {
		if kind == commandComplete {
			msg, _ = e.Encode(nil)
		}
		return msg
	}}
}

func TestErrorBehindACommit(t *testing.T) {
	timeout := &pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: "57014",
		Message: "query execution canceled due to statement timeout", File: "conn_executor_exec.go", Routine: "execStmtInOpenState"}
	schema := &pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: "XXA00",
		Message: "transaction committed but schema change aborted"}
	t.Run("unknown", func(t *testing.T) {
		dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
			accounts(t, db)
			_, err := txn.RunInTx(t.Context(), errorInsteadOfTag(timeout).connect(t, db), deposit)
			requireUnknown(t, err)
			requireCode(t, err, "57014")
		})
	})
	t.Run("committed", func(t *testing.T) {
		dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
			accounts(t, db)
			got, err := txn.RunInTx(t.Context(), errorInsteadOfTag(schema).connect(t, db), deposit)
			var c *txn.CommittedError
			require.ErrorAs(t, err, &c)
			require.Equal(t, "deposited", got)
		})
	})
}

func TestCommitOutlastsACallerThatHangsUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		ctx, hangUp := context.WithCancel(t.Context())
		pool := wire{request: func() bool {
			hangUp()
			<-time.After(100 * time.Millisecond) // for a client that would give up now
			return true
		}}.connect(t, db)
		got, err := txn.RunInTx(ctx, pool, deposit)
		require.NoError(t, err)
		require.Equal(t, "deposited", got)
		require.Equal(t, 101, balance(t, db, 1))
	})
}

func TestCommitWithoutAnswerEndsAfterTheGrace(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		ctx, hangUp := context.WithCancel(t.Context())
		silence := make(chan struct{})
		pool := wire{request: func() bool { hangUp(); <-silence; return false }}.connect(t, db)
		free := sync.OnceFunc(func() { close(silence) })
		t.Cleanup(free)
		start := time.Now()
		_, err := txn.RunInTx(ctx, pool, deposit)
		requireUnknown(t, err)
		require.Less(t, time.Since(start), 30*time.Second, "the grace is short")
		free() // or the old session holds its locks
		require.Equal(t, 100, balance(t, db, 1))
	})
}

func TestConnectionLostInTheBodyIsDefinite(t *testing.T) {
	for name, returned := range map[string]func(error) error{"returned": asIs, "swallowed": func(error) error { return nil }} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
					require.NoError(t, write(ctx, tx, 1, 7))
					require.NoError(t, tx.Conn().PgConn().Conn().Close())
					return returned(write(ctx, tx, 1, 8))
				})
				require.Error(t, err)
				var unknown *txn.OutcomeUnknownError
				require.False(t, errors.As(err, &unknown))
				require.Eventually(t, func() bool { return db.Stat().TotalConns() == 0 }, 10*time.Second, time.Millisecond, "pgx closes it behind our back")
				// The server undoes it once it has noticed.
				require.Eventually(t, func() bool { return balance(t, db, 1) == 100 }, 10*time.Second, time.Millisecond)
			})
		})
	}
}
