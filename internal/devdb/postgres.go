package devdb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

var postgresDirs = []string{
	"/usr/lib/postgresql/*/bin",                               // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                        // Red Hat
	"/usr/libexec/postgresql*",                                // Alpine
	"/opt/homebrew/opt/postgresql*/bin",                       // Homebrew
	"/usr/local/opt/postgresql*/bin",                          // Homebrew on Intel
	"/opt/local/lib/postgresql*/bin",                          // MacPorts
	"/Applications/Postgres.app/Contents/Versions/latest/bin", // Postgres.app
	"/usr/local/pgsql/bin",                                    // built from source
}

// postgresPrograms returns the directories of initdb and postgres, if any.
func postgresPrograms() ([]string, error) {
	chosen := filepath.SplitList(os.Getenv(EnvPostgres))
	for _, dir := range chosen {
		if !hasPostgres(dir) {
			return nil, fmt.Errorf("%s: initdb and postgres are not in %q", EnvPostgres, dir)
		}
	}
	if dir := installedPostgres(); dir != "" && len(chosen) == 0 {
		return []string{dir}, nil
	}
	return chosen, nil
}

// installedPostgres returns the directory of the installed programs, or "".
func installedPostgres() string {
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if initdb, err = filepath.EvalSymlinks(initdb); err == nil && hasPostgres(filepath.Dir(initdb)) {
			return filepath.Dir(initdb)
		}
	}
	for _, pattern := range postgresDirs {
		dirs, _ := filepath.Glob(pattern)
		slices.SortFunc(dirs, func(a, b string) int { return version(b) - version(a) })
		for _, dir := range dirs {
			if hasPostgres(dir) {
				return dir
			}
		}
	}
	return ""
}

func hasPostgres(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// version returns the number in a path such as /usr/lib/postgresql/15/bin.
func version(dir string) int {
	n := 0
	for _, c := range dir {
		if c >= '0' && c <= '9' {
			n = n*10 + int(c-'0')
		}
	}
	return n
}

func postgresSource(bin string) Source {
	return Source{
		Engine: PostgreSQL,
		From:   bin,
		start: func(ctx context.Context, sandbox *sandbox) (string, error) {
			return startPostgres(ctx, bin, sandbox)
		},
	}
}

func startPostgres(ctx context.Context, bin string, sandbox *sandbox) (string, error) {
	data, err := initPostgres(ctx, bin, sandbox)
	if err != nil {
		return "", err
	}
	_, url, err := runPostgres(ctx, bin, sandbox, data,
		"-c", "fsync=off", "-c", "full_page_writes=off", // nothing here outlives the process
		"-c", "max_prepared_transactions=10")
	return url, err
}

// initPostgres creates a data directory.
func initPostgres(ctx context.Context, bin string, sandbox *sandbox) (data string, err error) {
	dir, attr, err := postgresDir(sandbox)
	if err != nil {
		return "", err
	}
	data = filepath.Join(dir, "data")
	running := filepath.Join(dir, "initdb.TERM")
	initdb := recorded(ctx, running, true, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres",
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	initdb.Dir = dir
	initdb.SysProcAttr = attr
	initdb.Cancel = func() error { return initdb.Process.Signal(syscall.SIGTERM) } // initdb ends its children in order
	initdb.WaitDelay = 30 * time.Second
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return data, os.Remove(running)
}

// postgresDir creates the directory for a server's data and socket. Only its owner
// can open it, so no password is needed.
func postgresDir(sandbox *sandbox) (dir string, attr *syscall.SysProcAttr, err error) {
	dir = sandbox.path("pg")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", nil, err
	}
	if attr, err = postgresUser(); err != nil {
		return "", nil, err
	}
	if c := attr.Credential; c != nil {
		err = os.Chown(dir, int(c.Uid), int(c.Gid))
	}
	return dir, attr, err
}

// postgresUser returns how to start PostgreSQL's programs.
func postgresUser() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		uid, gid, err := unprivileged()
		if err != nil {
			return nil, err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return attr, nil
}

// runPostgres starts the server on its data, and returns once the server answers.
func runPostgres(ctx context.Context, bin string, sandbox *sandbox, data string, settings ...string) (*process, string, error) {
	dir := filepath.Dir(data)
	attr, err := postgresUser()
	if err != nil {
		return nil, "", err
	}
	args := append([]string{"-D", data, "-k", dir, "-h", "", "-c", "max_connections=300"}, settings...)
	running := filepath.Join(dir, "postgres.QUIT")
	server := recorded(context.Background(), running, false, filepath.Join(bin, "postgres"), args...)
	server.Dir = dir
	server.SysProcAttr = attr
	address := postgresURL(data)
	p, err := launch(ctx, server, running, sandbox.path("postgres.log"), address)
	if err != nil {
		return nil, "", fmt.Errorf("postgres: %w", err)
	}
	return p, address, nil
}

// postgresURL returns the address of a server on this data directory.
func postgresURL(data string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres",
		RawQuery: url.Values{"host": {filepath.Dir(data)}, "port": {"5432"}, "sslmode": {"disable"}}.Encode()}
	return u.String()
}

// unprivileged returns the user that a server runs as if root starts it: PostgreSQL
// refuses to run as root.
func unprivileged() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		u, lookupErr := user.Lookup(name)
		if lookupErr != nil {
			continue
		}
		if uid, err = strconv.Atoi(u.Uid); err != nil {
			continue
		}
		if gid, err = strconv.Atoi(u.Gid); err == nil && uid > 0 {
			return uid, gid, nil
		}
	}
	return 0, 0, errors.New(`PostgreSQL refuses to run as root, and there is no user "postgres" or "nobody" to run it as`)
}
