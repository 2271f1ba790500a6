package devdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNoStandby is returned if this machine lacks the programs for a standby.
var ErrNoStandby = errors.New(`no standby: it takes PostgreSQL's own "pg_basebackup" beside "initdb", and a server that this program starts`)

// StartStandby copies a running PostgreSQL server and starts the copy as a hot
// standby, which follows the server through source, a connection string. Without
// pg_basebackup the error is [ErrNoStandby].
func (s Source) StartStandby(ctx context.Context, source string, settings ...string) (*Durable, error) {
	program := filepath.Join(s.From, "pg_basebackup")
	if s.external || s.Engine != PostgreSQL {
		return nil, ErrNoStandby
	}
	if _, err := exec.LookPath(program); err != nil {
		return nil, ErrNoStandby
	}
	starting.Lock()
	defer starting.Unlock()
	sandbox, err := newSandbox()
	if err != nil {
		return nil, err
	}
	d := &Durable{Server: &Server{Engine: s.Engine, sandbox: sandbox}}
	data, err := copyPostgres(ctx, program, source, sandbox)
	if err == nil {
		d.URL = postgresURL(data)
		d.run = func(ctx context.Context) (*process, error) {
			p, _, err := runPostgres(ctx, s.From, sandbox, data, settings...)
			return p, err
		}
		err = d.Start(ctx)
	}
	if err == nil {
		err = d.identify(ctx)
	}
	if err != nil {
		d.Stop()
		return nil, fmt.Errorf("start a standby from %s: %w", s.From, err)
	}
	return d, nil
}

// Promote makes a standby a primary, and returns when it is one.
func (d *Durable) Promote(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, d.URL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var done bool
	if err := conn.QueryRow(ctx, "select pg_promote(true, 60)").Scan(&done); err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	if !done {
		return errors.New("promote: it took longer than a minute")
	}
	return nil
}

// copyPostgres creates the data directory of a standby.
func copyPostgres(ctx context.Context, program, source string, sandbox *sandbox) (data string, err error) {
	dir, attr, err := postgresDir(sandbox)
	if err != nil {
		return "", err
	}
	data = filepath.Join(dir, "data")
	running := filepath.Join(dir, "pg_basebackup.TERM")
	backup := recorded(ctx, running, true, program, "-D", data, "-d", source,
		"--wal-method=stream", "--checkpoint=fast", "--no-sync", "--write-recovery-conf")
	backup.Dir = dir
	backup.SysProcAttr = attr
	backup.Cancel = func() error { return syscall.Kill(-backup.Process.Pid, syscall.SIGTERM) }
	backup.WaitDelay = 5 * time.Second
	if out, err := backup.CombinedOutput(); err != nil {
		return "", fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	return data, os.Remove(running)
}
