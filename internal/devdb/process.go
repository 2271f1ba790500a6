package devdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/jackc/pgx/v5"
)

// process is a server's.
type process struct {
	cmd   *exec.Cmd
	ended chan error // gets how, once
}

// launch starts a recorded command and returns once url answers. What it prints
// goes to the file log, and into the error if it ends at once.
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
	p := &process{cmd: cmd, ended: make(chan error, 1)}
	go func() {
		err := cmd.Wait()
		os.Remove(record) // before the number is another process's
		p.ended <- err
	}()
	if err := awaitAnswer(ctx, url, p.ended); err != nil {
		_ = cmd.Process.Kill() // if it still runs
		text, _ := os.ReadFile(log)
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	return p, nil
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
