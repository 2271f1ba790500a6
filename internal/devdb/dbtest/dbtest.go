// Package dbtest runs tests on every database engine of the machine, each test in a
// schema of its own.
package dbtest

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
)

var sources = sync.OnceValues(devdb.Find)

type starter struct {
	once sync.Once
	srv  *devdb.Server
	err  error
}

var (
	mu      sync.Mutex
	started = map[string]*starter{}

	examples []func() error // clean up after examples, which run one by one
)

func server(s devdb.Source) (*devdb.Server, error) {
	mu.Lock()
	st := started[s.From]
	if st == nil {
		st = new(starter)
		started[s.From] = st
	}
	mu.Unlock()
	st.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		st.srv, st.err = s.Start(ctx)
	})
	return st.srv, st.err
}

// waiting is the number of tests that run at a time unless -parallel sets it: tests
// wait for servers more than they compute.
const waiting = "8"

// Main runs the tests of a package, with a database for its examples in [ExampleURL],
// then stops the servers that they started. Call it from TestMain.
func Main(m *testing.M) {
	flag.Parse()
	parallel := false
	flag.Visit(func(f *flag.Flag) { parallel = parallel || f.Name == "test.parallel" })
	if !parallel {
		if err := flag.Set("test.parallel", waiting); err != nil {
			panic(err) // the flag is always there in a test
		}
	}
	if err := serveExamples(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	for _, drop := range examples {
		if err := drop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	for _, st := range started {
		if st.srv != nil {
			st.srv.Stop()
		}
	}
	os.Exit(code)
}

// DB is a database for one test.
type DB struct {
	*pgxpool.Pool
	Engine devdb.Engine
	URL    string
	Schema string
	server *devdb.Server
}

// Cockroach reports whether the server is CockroachDB.
func (db *DB) Cockroach() bool { return db.Engine == devdb.CockroachDB }

// Each runs f on every engine, in parallel, with a fresh schema for each.
func Each(t *testing.T, f func(t *testing.T, db *DB)) {
	t.Helper()
	t.Parallel()
	found, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range found {
		name := string(s.Engine)
		if name == "" {
			name = "url"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Log("on " + s.String()) // there may be several versions
			f(t, open(t, s))
		})
	}
}

// First returns a fresh schema on the preferred engine, for a benchmark or for a
// test that does not depend on the engine.
func First(t testing.TB) *DB {
	t.Helper()
	found, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	return open(t, found[0])
}

func open(t testing.TB, s devdb.Source) *DB {
	t.Helper()
	srv, err := server(s)
	if err != nil {
		t.Fatal(err)
	}
	db, err := Schema(t.Context(), srv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !givenBack(db.Pool) {
			t.Errorf("%d connections were not given back to the pool", db.Stat().AcquiredConns())
			return
		}
		db.Close()
		if err := drop(srv, db.Schema); err != nil {
			t.Error(err)
		}
	})
	return db
}

// givenBack waits for connections that the pool is still closing.
func givenBack(pool *pgxpool.Pool) bool {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	giveUp := time.After(time.Minute)
	for pool.Stat().AcquiredConns() > 0 {
		select {
		case <-look.C:
		case <-giveUp:
			return false
		}
	}
	return true
}

// Schema creates a fresh schema and a pool whose connections use it.
func Schema(ctx context.Context, srv *devdb.Server) (*DB, error) {
	schema, err := createSchema(ctx, srv)
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(srv.URL)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.RuntimeParams["search_path"] = schema
	config.MaxConns = 16
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return &DB{Pool: pool, Engine: srv.Engine, URL: srv.URL, Schema: schema, server: srv}, nil
}

// createSchema creates a schema and returns its name.
func createSchema(ctx context.Context, srv *devdb.Server) (string, error) {
	schema := "t_" + randomName()
	return schema, exec(ctx, srv, "create schema "+pgx.Identifier{schema}.Sanitize())
}

// drop removes a schema, unless its server is about to be removed.
func drop(srv *devdb.Server, schema string) error {
	if !srv.External {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return exec(ctx, srv, "drop schema "+pgx.Identifier{schema}.Sanitize()+" cascade")
}

func exec(ctx context.Context, srv *devdb.Server, sql string) error {
	conn, err := pgx.Connect(ctx, srv.URL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// Lower case, because search_path folds names.
func randomName() string { return strings.ToLower(rand.Text()[:12]) }
