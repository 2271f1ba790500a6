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

// process is a process of a server.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
	how   error         // the way it ended
}

// launch starts a recorded command and returns once url answers. Its output goes to
// the file log, and into the error if it ends at once.
func launch(ctx context.Context, cmd *exec.Cmd, record, log, url string) (*process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.how = cmd.Wait()
		os.Remove(record) // before the number is another process's
	}()
	if err := p.awaitAnswer(ctx, url); err != nil {
		p.end(record)
		text, _ := os.ReadFile(log)
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	return p, nil
}

// end ends a process that may have ended already, by the signal in its record: a
// killed PostgreSQL leaves its shared memory behind.
func (p *process) end(record string) {
	if filepath.Ext(record) == ".QUIT" {
		_ = p.cmd.Process.Signal(syscall.SIGQUIT)
		select {
		case <-p.ended:
			return
		case <-time.After(30 * time.Second):
		}
	}
	_ = p.cmd.Process.Kill()
}

func (p *process) awaitAnswer(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-p.ended:
			return fmt.Errorf("ended at once: %v", p.how) //nolint:errorlint // it is nil after exit status 0
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
