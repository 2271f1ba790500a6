package faultnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// start returns a proxy to db, and creates a table t to write to.
func start(t testing.TB, db *dbtest.DB) *faultnet.Proxy {
	t.Helper()
	_, err := db.Exec(t.Context(), "create table t (id int primary key)")
	require.NoError(t, err)
	config := db.Config().ConnConfig
	p, err := faultnet.New(pgconn.NetworkAddress(config.Host, config.Port))
	require.NoError(t, err)
	t.Cleanup(p.Close)
	p.LoseCancels(true) // or what a test wants to be committed may be canceled
	return p
}

func config(p *faultnet.Proxy, db *dbtest.DB) *pgx.ConnConfig {
	c := db.Config().ConnConfig
	p.Rewrite(c)
	return c
}

// connect returns a connection through the proxy.
func connect(t testing.TB, p *faultnet.Proxy, db *dbtest.DB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), config(p, db))
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Close() // or Close waits for an answer that a fault has lost
		conn.Close(context.Background())
	})
	return conn
}

// recorder records what is read from a connection, by whichever goroutine: pgx reads in
// the background if a write is slow.
type recorder struct {
	net.Conn
	mu    sync.Mutex
	bytes []byte
	ended chan struct{}
	err   error // that ended it, when ended is closed
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes = append(r.bytes, p[:n]...)
	if err != nil && r.err == nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		r.err = err
		close(r.ended)
	}
	return n, err
}

// rest reads to the end and returns what came since forget, and the error at the end,
// which is nil for a regular one.
func (r *recorder) rest(t testing.TB) ([]byte, error) {
	t.Helper()
	go func() { _, _ = io.Copy(io.Discard, r) }()
	await(t, r.ended)
	if r.err == io.EOF {
		return r.bytes, nil
	}
	return r.bytes, r.err
}

func (r *recorder) forget() {
	r.mu.Lock()
	r.bytes = []byte{}
	r.mu.Unlock()
}

// transaction inserts a row, one statement at a time.
func transaction(ctx context.Context, conn *pgx.Conn, id int) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "insert into t values ($1)", id)
		return err
	})
}

// pipelined inserts a row by the extended protocol, all in one write.
func pipelined(ctx context.Context, conn *pgx.Conn, id int) error {
	b := new(pgx.Batch)
	b.Queue("begin")
	b.Queue("insert into t values ($1)", id)
	b.Queue("commit")
	r := conn.SendBatch(ctx, b)
	for range b.Len() {
		if _, err := r.Exec(); err != nil {
			r.Close()
			return err
		}
	}
	return r.Close()
}

var clients = map[string]func(context.Context, *pgx.Conn, int) error{"transaction": transaction, "pipelined": pipelined}

// rows counts without the proxy.
func rows(t testing.TB, db *dbtest.DB) int {
	t.Helper()
	var n int
	require.NoError(t, db.QueryRow(t.Context(), "select count(*) from t").Scan(&n))
	return n
}

// await waits for a message that a hook saw.
func await(t testing.TB, seen <-chan struct{}) {
	t.Helper()
	select {
	case <-seen:
	case <-time.After(5 * time.Minute):
		t.Fatal("it never came")
	}
}

// query sends a Query alone, for tests that read the answer byte by byte.
func query(t testing.TB, conn *pgx.Conn, sql string) {
	t.Helper()
	f := conn.PgConn().Frontend()
	f.Send(&pgproto3.Query{String: sql})
	require.NoError(t, f.Flush())
}

// dbtestEach runs dbtest.Each as a subtest.
func dbtestEach(t *testing.T, name string, f func(t *testing.T, db *dbtest.DB)) {
	t.Run(name, func(t *testing.T) { dbtest.Each(t, f) })
}
