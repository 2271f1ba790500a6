// Package devdb provides a real database for the demo, the tests and the
// benchmarks: one named by the environment, or one that it starts. A database that
// it started is gone, with all its files, when the process ends, however it ends.
package devdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// Engine identifies a database engine by the server's own answer.
type Engine string

// The engines that Rowkeeper supports.
const (
	PostgreSQL  Engine = "postgresql"
	CockroachDB Engine = "cockroachdb"
)

// Environment variables that choose a database.
const (
	EnvURL    = "ROWKEEPER_DATABASE_URL" // use this database and no other
	EnvEngine = "ROWKEEPER_TEST_ENGINE"  // use only this engine
	EnvBinary = "COCKROACH_BINARY"       // start this CockroachDB

	// EnvPostgres lists folders of PostgreSQL's programs, as in PATH: start each of
	// them, and no other PostgreSQL.
	EnvPostgres = "ROWKEEPER_POSTGRES_BINDIRS"
)

// Source is a database that is available on this machine.
type Source struct {
	Engine   Engine // empty for EnvURL until the server has been asked
	From     string // a variable's name or a path
	external bool
	start    func(ctx context.Context, sandbox *sandbox) (string, error)
}

// ErrNone is returned if no database is available. It names programs to install.
var ErrNone = errors.New(`no database found. Looked for:
  - ` + EnvURL + ` (the URL of a database to use)
  - CockroachDB: ` + EnvBinary + `, then "cockroach" in PATH
  - PostgreSQL: ` + EnvPostgres + ` (folders of its programs), then "initdb" and "postgres" in PATH, then in ` + strings.Join(postgresDirs, ", ") + `
Install one of them, for example:
  Debian, Ubuntu:  apt-get install postgresql
  macOS:           brew install postgresql@17   (or: brew install cockroachdb/tap/cockroach)`)

// Find lists the available databases in the order of preference: EnvURL (then
// nothing else), a cockroach binary, PostgreSQL's programs (of each folder of
// EnvPostgres, or the first ones found), and without any of these a download by
// cockroach-go. EnvEngine narrows the list. If it is empty, the error is ErrNone.
func Find() ([]Source, error) {
	only := Engine(os.Getenv(EnvEngine))
	if only != "" && only != PostgreSQL && only != CockroachDB {
		return nil, fmt.Errorf("%s=%q: use %q or %q", EnvEngine, only, PostgreSQL, CockroachDB)
	}
	if url := os.Getenv(EnvURL); url != "" {
		return []Source{{
			Engine:   only,
			From:     EnvURL,
			external: true,
			start:    func(context.Context, *sandbox) (string, error) { return url, nil },
		}}, nil
	}
	var found []Source
	if only != PostgreSQL {
		bin, err := cockroachBinary()
		if err != nil {
			return nil, err
		}
		if bin != "" {
			found = append(found, cockroachSource(bin))
		}
	}
	if only != CockroachDB {
		dirs, err := postgresPrograms()
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs {
			found = append(found, postgresSource(dir))
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	err := ErrNone
	if only != PostgreSQL {
		bin, downloadErr := downloadCockroach()
		if downloadErr == nil {
			return []Source{cockroachSource(bin)}, nil
		}
		err = fmt.Errorf("%w\nA download of CockroachDB failed: %w", err, downloadErr)
	}
	if only != "" {
		err = fmt.Errorf("%s=%s: %w", EnvEngine, only, err)
	}
	return nil, err
}

// String names the database and its origin.
func (s Source) String() string {
	if s.Engine == "" {
		return "the database of " + s.From
	}
	return fmt.Sprintf("%s from %s", s.Engine, s.From)
}

var starting sync.Mutex

// Server is a running database.
type Server struct {
	Engine   Engine
	Version  string
	URL      string
	External bool // not started by this package, so objects created in it must be removed
	sandbox  *sandbox
}

// Start starts the database, or connects to a running one, and returns once it
// answers.
func (s Source) Start(ctx context.Context) (*Server, error) {
	starting.Lock() // cockroach.go changes state of the whole process
	defer starting.Unlock()
	srv := &Server{External: s.external}
	if !s.external {
		sandbox, err := newSandbox()
		if err != nil {
			return nil, err
		}
		srv.sandbox = sandbox
	}
	url, err := s.start(ctx, srv.sandbox)
	if err == nil {
		srv.URL = url
		err = srv.identify(ctx)
	}
	if err == nil && s.Engine != "" && s.Engine != srv.Engine {
		err = fmt.Errorf("the server is %s, not %s", srv.Engine, s.Engine)
	}
	if err != nil {
		srv.Stop()
		// The cause names what ended the start.
		return nil, fmt.Errorf("start database from %s: %w", s.From, errors.Join(context.Cause(ctx), err))
	}
	return srv, nil
}

func (s *Server) identify(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	s.Engine = PostgreSQL
	s.Version = conn.PgConn().ParameterStatus("server_version")
	if v := conn.PgConn().ParameterStatus("crdb_version"); v != "" {
		s.Engine = CockroachDB
		s.Version = regexp.MustCompile(`v\d\S*`).FindString(v)
	}
	return nil
}

// Stop ends the database and removes its files. It leaves a database alone that was
// not started here. It may be called more than once.
func (s *Server) Stop() {
	if s.sandbox != nil {
		s.sandbox.clear()
	}
}
