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

	"github.com/jackc/pgx/v5"
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

// postgresPrograms is the directory of initdb and postgres, or "".
func postgresPrograms() string {
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

// version is the number in a path such as /usr/lib/postgresql/15/bin.
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
		start: func(ctx context.Context, room *room) (string, error) {
			return startPostgres(ctx, bin, room)
		},
	}
}

func startPostgres(ctx context.Context, bin string, room *room) (string, error) {
	// The socket's directory is open to its owner alone, so no password is needed.
	dir := room.path("pg")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		uid, gid, err := unprivileged()
		if err != nil {
			return "", err
		}
		if err := os.Chown(dir, uid, gid); err != nil {
			return "", err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	data := filepath.Join(dir, "data")

	running := filepath.Join(dir, "initdb.TERM")
	initdb := recorded(ctx, running, true, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres",
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	initdb.Dir = dir
	initdb.SysProcAttr = attr
	initdb.Cancel = func() error { return syscall.Kill(-initdb.Process.Pid, syscall.SIGTERM) }
	initdb.WaitDelay = 5 * time.Second
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := os.Remove(running); err != nil {
		return "", err
	}

	log, err := os.Create(room.path("postgres.log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	running = filepath.Join(dir, "postgres.QUIT")
	server := recorded(context.Background(), running, false, filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-h", "",
		"-c", "max_connections=300",
		"-c", "fsync=off", "-c", "full_page_writes=off", // nothing here outlives the process
		"-c", "max_prepared_transactions=10")
	server.Dir = dir
	server.SysProcAttr = attr
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() {
		err := server.Wait()
		os.Remove(running) // before the number is another process's
		ended <- err
	}()

	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres",
		RawQuery: url.Values{"host": {dir}, "port": {"5432"}, "sslmode": {"disable"}}.Encode()}
	if err := awaitAnswer(ctx, u.String(), ended); err != nil {
		text, _ := os.ReadFile(log.Name())
		return "", fmt.Errorf("postgres: %w\n%s", err, text)
	}
	return u.String(), nil
}

func awaitAnswer(ctx context.Context, url string, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case how := <-ended:
			return fmt.Errorf("ended at once: %v", how)
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// unprivileged is the user that a server runs as when root starts it:
// PostgreSQL refuses to run as root.
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
