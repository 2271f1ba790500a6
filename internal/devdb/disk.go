package devdb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Durable is a database that keeps commits on disk, and may be killed and started
// again. Its methods are for one goroutine; its fields do not change, so others may
// connect meanwhile.
type Durable struct {
	*Server
	run     func(ctx context.Context) (*process, error)
	process *process
}

// StartDurable starts the database on a directory of its own, with every setting on
// that makes a commit outlive the server. A database named by EnvURL cannot be
// killed, so it is refused.
func (s Source) StartDurable(ctx context.Context) (*Durable, error) {
	if s.external {
		return nil, fmt.Errorf("the database of %s is not this program's to kill: unset it", EnvURL)
	}
	starting.Lock()
	defer starting.Unlock()
	sandbox, err := newSandbox()
	if err != nil {
		return nil, err
	}
	d := &Durable{Server: &Server{Engine: s.Engine, sandbox: sandbox}}
	switch s.Engine {
	case PostgreSQL:
		err = d.preparePostgres(ctx, s.From)
	case CockroachDB:
		err = d.prepareCockroach(s.From)
	}
	if err == nil {
		err = d.Start(ctx)
	}
	if err == nil {
		err = d.identify(ctx)
	}
	if err != nil {
		d.Stop()
		return nil, fmt.Errorf("start database from %s: %w", s.From, err)
	}
	return d, nil
}

// Kill ends the server at once, by SIGKILL, and returns when it is gone.
func (d *Durable) Kill() error {
	if d.process == nil {
		return errors.New("the server does not run")
	}
	// PostgreSQL's other processes would go on, or wait for each other for ever. A
	// stopped server creates no more of them.
	pid := d.process.cmd.Process.Pid
	_ = d.process.cmd.Process.Signal(syscall.SIGSTOP) // it may have ended by itself
	for range 10_000 {
		if state, _ := statOf(pid); state != "R" && state != "S" && state != "D" {
			break
		}
		time.Sleep(time.Millisecond)
	}
	children := childrenOf(pid)
	err := d.process.cmd.Process.Kill()
	for _, child := range children {
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
	<-d.process.ended
	d.process = nil
	return err
}

// Start starts a killed server on the same address, and returns once it answers.
func (d *Durable) Start(ctx context.Context) error {
	if d.process != nil {
		return errors.New("the server runs")
	}
	// A socket or shared memory of the killed server may exist for a moment longer.
	const tries = 300
	var err error
	for range tries {
		if d.process, err = d.run(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return err
}

// Pid returns the process id of the server, or 0.
func (d *Durable) Pid() int {
	if d.process == nil {
		return 0
	}
	return d.process.cmd.Process.Pid
}

func (d *Durable) preparePostgres(ctx context.Context, bin string) error {
	data, err := initPostgres(ctx, bin, d.sandbox)
	if err != nil {
		return err
	}
	d.URL = postgresURL(data) // never written again, as others may read it during a restart
	d.run = func(ctx context.Context) (*process, error) {
		p, _, err := runPostgres(ctx, bin, d.sandbox, data,
			"-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on", "-c", "restart_after_crash=on")
		return p, err
	}
	return nil
}

func (d *Durable) prepareCockroach(bin string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	d.URL = "postgres://root@" + address + "/defaultdb?sslmode=disable"
	d.run = func(ctx context.Context) (*process, error) {
		record := d.sandbox.path("cockroach.KILL")
		cmd := recorded(context.Background(), record, false, bin, "start-single-node", "--insecure",
			"--store=path="+d.sandbox.path("store"), "--listen-addr="+address, "--http-addr=127.0.0.1:0",
			"--cache=128MiB", "--max-sql-memory=128MiB")
		cmd.Dir = d.sandbox.dir
		cmd.Env = append(os.Environ(), "COCKROACH_SKIP_ENABLING_DIAGNOSTIC_REPORTING=true", "TMPDIR="+d.sandbox.dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C must not reach it
		return launch(ctx, cmd, record, d.sandbox.path("cockroach.log"), d.URL)
	}
	return nil
}

// freeAddress returns a loopback address that nobody listens on. Another program
// may take it first; then the server reports it.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// childrenOf lists the children of a process, if the system shows processes as
// files.
func childrenOf(pid int) []int {
	var children []int
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		child, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if _, parent := statOf(child); parent == pid {
			children = append(children, child)
		}
	}
	return children
}

// statOf returns the state of a process, as one letter, and its parent.
func statOf(pid int) (state string, parent int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	i := strings.LastIndex(string(text), ") ") // behind the name, which may contain anything
	fields := strings.Fields(string(text[i+1:]))
	if len(fields) < 2 {
		return "", 0
	}
	parent, _ = strconv.Atoi(fields[1])
	return fields[0], parent
}
