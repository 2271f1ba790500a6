package devdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// EnvPooler names the PgBouncer to start, instead of the one in PATH or /usr/sbin.
const EnvPooler = "ROWKEEPER_PGBOUNCER"

// ErrNoPooler is returned if there is no PgBouncer on this machine.
var ErrNoPooler = errors.New("no PgBouncer found: looked at " + EnvPooler + `, for "pgbouncer" in PATH, and at /usr/sbin/pgbouncer`)

// PoolerConfig configures a PgBouncer. The zero value is transaction pooling with
// PgBouncer's own defaults.
type PoolerConfig struct {
	Settings  map[string]string // of the section pgbouncer in its file
	OnConnect string            // SQL for each new session of the server, such as one that sets the search path
	Through   string            // host:port at which the server is reached instead, such as a proxy's
}

// Pooler is a running PgBouncer.
type Pooler struct {
	URL     string // of the same database as the Server's
	console string
	process *process
	once    sync.Once
}

// poolers counts the started ones. Each has a directory.
var poolers atomic.Int64

// StartPooler starts a PgBouncer in front of the server, and returns once it
// answers. It ends with the server, or with the process, however that ends. Without
// the program the error is ErrNoPooler.
func (s *Server) StartPooler(ctx context.Context, c PoolerConfig) (*Pooler, error) {
	if s.External {
		return nil, fmt.Errorf("%w; and none is started in front of a server that runs already", ErrNoPooler)
	}
	program := poolerProgram()
	if program == "" {
		return nil, ErrNoPooler
	}
	p, err := s.startPooler(ctx, program, c)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return p, nil
}

func (s *Server) startPooler(ctx context.Context, program string, c PoolerConfig) (*Pooler, error) {
	server, database, err := s.connection(ctx)
	if err != nil {
		return nil, err
	}
	name := "pb" + strconv.FormatInt(poolers.Add(1), 10)
	dir := s.sandbox.path(name)
	attr, err := postgresUser()
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	file := s.sandbox.path(name + ".ini")
	if err := os.WriteFile(file, []byte(poolerFile(server, dir, c)), 0o644); err != nil {
		return nil, err
	}
	if u := attr.Credential; u != nil { // it refuses to run as root, like PostgreSQL
		if err := os.Chown(dir, int(u.Uid), int(u.Gid)); err != nil {
			return nil, err
		}
	}
	address := func(database string) string {
		u := url.URL{Scheme: "postgres", User: url.User(server.User), Path: "/" + database,
			RawQuery: url.Values{"host": {dir}, "port": {poolerPort}, "sslmode": {"disable"}}.Encode()}
		return u.String()
	}
	record := filepath.Join(dir, "pgbouncer.QUIT")
	cmd := recorded(context.Background(), record, false, program, file)
	cmd.Dir = dir
	cmd.SysProcAttr = attr
	p := &Pooler{URL: address(database), console: address("pgbouncer")}
	p.process, err = launch(ctx, cmd, record, s.sandbox.path(name+".log"), p.URL)
	return p, err
}

// connection returns the server's address and the database, which its URL may leave
// to the server.
func (s *Server) connection(ctx context.Context) (config *pgx.ConnConfig, database string, err error) {
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return nil, "", err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "select current_database()").Scan(&database)
	return conn.Config(), database, err
}

const poolerPort = "6432"

// poolerFile returns the text of the configuration. Only the owner can open the
// socket's directory, so no password is needed.
func poolerFile(server *pgx.ConnConfig, dir string, c PoolerConfig) string {
	host, port := server.Host, strconv.Itoa(int(server.Port))
	if c.Through != "" {
		host, port, _ = net.SplitHostPort(c.Through)
	}
	settings := map[string]string{
		"pool_mode":                 "transaction",
		"auth_type":                 "any",
		"admin_users":               server.User,
		"listen_port":               poolerPort,
		"unix_socket_dir":           dir,
		"ignore_startup_parameters": "extra_float_digits,search_path",
	}
	maps.Copy(settings, c.Settings)
	var b strings.Builder
	fmt.Fprintf(&b, "[databases]\n* = host=%s port=%s user=%s", host, port, server.User)
	if c.OnConnect != "" {
		fmt.Fprintf(&b, " connect_query=%s", "'"+strings.ReplaceAll(c.OnConnect, "'", "''")+"'")
	}
	b.WriteString("\n[pgbouncer]\n")
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s = %s\n", key, settings[key])
	}
	return b.String()
}

var poolerPrograms = []string{"pgbouncer", "/usr/sbin/pgbouncer"} // the second is not in everybody's PATH

// poolerProgram returns the path of a pgbouncer program, or "".
func poolerProgram() string {
	for _, name := range append([]string{os.Getenv(EnvPooler)}, poolerPrograms...) {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

var poolerVersion = regexp.MustCompile(`(?i)pgbouncer (?:version )?1\.(\d+)`)

// PoolerKnowsStatements reports whether the PgBouncer of this machine has
// max_prepared_statements, as from 1.21 on: then it keeps its clients' prepared
// statements apart.
func PoolerKnowsStatements() bool {
	out, _ := exec.Command(poolerProgram(), "--version").Output()
	found := poolerVersion.FindSubmatch(out)
	if found == nil {
		return false
	}
	minor, err := strconv.Atoi(string(found[1]))
	return err == nil && minor >= 21
}

// Tell sends a command to PgBouncer's console, such as RECONNECT or KILL.
func (p *Pooler) Tell(ctx context.Context, command string) error {
	config, err := pgx.ParseConfig(p.console)
	if err != nil {
		return err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, command)
	return err
}

// Stop ends PgBouncer at once, with all its connections. It may be called more than
// once.
func (p *Pooler) Stop() {
	p.once.Do(func() {
		_ = p.process.cmd.Process.Kill() // if it still runs
		<-p.process.ended
	})
}
