package devdb

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/cockroachdb/cockroach-go/v2/testserver"
)

// cockroachBinary returns the path of a cockroach program, or "".
func cockroachBinary() (string, error) {
	if bin := os.Getenv(EnvBinary); bin != "" {
		path, err := exec.LookPath(bin)
		if err != nil {
			return "", fmt.Errorf("%s: %w", EnvBinary, err)
		}
		return filepath.Abs(path)
	}
	path, err := exec.LookPath("cockroach")
	if err != nil {
		return "", nil
	}
	return filepath.Abs(path)
}

func cockroachSource(bin string) Source {
	return Source{
		Engine: CockroachDB,
		From:   bin,
		start: func(ctx context.Context, sandbox *sandbox) (string, error) {
			return startCockroach(ctx, bin, sandbox)
		},
	}
}

func startCockroach(ctx context.Context, bin string, sandbox *sandbox) (string, error) {
	// testserver does not expose its process; this identifies the one to end.
	wrapper := sandbox.path("cockroach")
	script := "#!/bin/sh\ncase $1 in start*) echo $$ >" + shellQuote(sandbox.path("cockroach.KILL")) +
		" ;; esac\nexec " + shellQuote(bin) + " \"$@\"\n"
	if err := os.WriteFile(wrapper, []byte(script), 0o755); err != nil {
		return "", err
	}
	type result struct {
		url string
		err error
	}
	done := make(chan result, 1)
	go func() {
		restore := setenv("TMPDIR", sandbox.dir)
		defer restore()
		defer quiet()()
		srv, err := testserver.NewTestServer(
			testserver.CockroachBinaryPathOpt(wrapper),
			testserver.SetStoreMemSizeOpt(0.1),
			testserver.CacheSizeOpt(0.05),
			testserver.EnvVarOpt([]string{"COCKROACH_SKIP_ENABLING_DIAGNOSTIC_REPORTING=true", "TMPDIR=" + sandbox.dir}),
		)
		if err != nil {
			done <- result{err: err}
			return
		}
		done <- result{url: srv.PGURL().String()}
	}()
	select {
	case r := <-done:
		return r.url, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// downloadCockroach asks cockroach-go for the newest stable release.
func downloadCockroach() (string, error) {
	fmt.Fprintln(os.Stderr, "Nothing found on this machine: trying to download CockroachDB.")
	type result struct {
		bin string
		err error
	}
	done := make(chan result, 1)
	go func() {
		defer quiet()()
		bin, err := testserver.DownloadBinary(&testserver.TestConfig{}, "", false)
		done <- result{bin, err}
	}()
	select {
	case r := <-done:
		return r.bin, r.err
	case <-time.After(3 * time.Minute):
		return "", context.DeadlineExceeded
	}
}

// quiet turns off the standard logger, which testserver writes to, until the
// returned function is called.
func quiet() func() {
	old := log.Writer()
	log.SetOutput(io.Discard)
	return func() { log.SetOutput(old) }
}

func setenv(name, value string) func() {
	old, had := os.LookupEnv(name)
	os.Setenv(name, value)
	return func() {
		if had {
			os.Setenv(name, old)
		} else {
			os.Unsetenv(name)
		}
	}
}
