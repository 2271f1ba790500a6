package devdb

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// sandbox is a temporary directory with all files of a server, and a shell that waits
// for this process to end and then clears the directory. The shell reads from a
// pipe that only this process holds open, so it notices a panic, os.Exit and
// SIGKILL as well as an orderly end.
type sandbox struct {
	dir    string
	reaper *exec.Cmd
	pipe   io.Closer
	once   sync.Once
}

// A process that is started for the sandbox first leaves a file NAME.SIGNAL with its
// process id, or with that of a process group after a minus sign. Only the leader
// of a group gets the signal: initdb ends its children so that they release their
// shared memory. The whole group gets it only if there is no leader left, or if it
// takes too long. A killed process need not be waited for, and may be a zombie by
// then; files that it still wrote are removed by another try.
const reaperScript = `
cat >/dev/null
for f in "$1"/*.QUIT "$1"/*/*.QUIT "$1"/*.TERM "$1"/*/*.TERM "$1"/*.KILL; do
	[ -f "$f" ] || continue
	pid=$(cat "$f")
	signal=${f##*.}
	kill -s "$signal" -- "${pid#-}" 2>/dev/null || kill -s "$signal" -- "$pid" 2>/dev/null || continue
	[ "$signal" = KILL ] && continue
	n=0
	while kill -s 0 -- "$pid" 2>/dev/null && [ $n -lt 600 ]; do sleep 0.05; n=$((n+1)); done
	kill -s KILL -- "$pid" 2>/dev/null
done
n=0
until rm -rf "$1" 2>/dev/null || [ $n -ge 600 ]; do sleep 0.05; n=$((n+1)); done
`

// recorded returns a command that writes its process id to a file and then becomes
// the program. With group it writes the id of its process group.
func recorded(ctx context.Context, file string, group bool, program string, args ...string) *exec.Cmd {
	minus := ""
	if group {
		minus = "-"
	}
	script := `echo "` + minus + `$$" >"$0" && exec "$@"`
	return exec.CommandContext(ctx, "sh", append([]string{"-c", script, file, program}, args...)...)
}

func newSandbox() (*sandbox, error) {
	dir, err := os.MkdirTemp(tempRoot(), "rowkeeper-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // another user's server has its directory in it
		return nil, err
	}
	reaper := exec.Command("sh", "-c", reaperScript, "rowkeeper-reaper", dir)
	reaper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C must not reach it
	pipe, err := reaper.StdinPipe()
	if err == nil {
		err = reaper.Start()
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("start the shell that clears up: %w", err)
	}
	return &sandbox{dir: dir, reaper: reaper, pipe: pipe}, nil
}

func (r *sandbox) path(name string) string { return filepath.Join(r.dir, name) }

func (r *sandbox) clear() {
	r.once.Do(func() {
		r.pipe.Close()
		_ = r.reaper.Wait() // it has cleared away, or there is nothing more to do
	})
}

// tempRoot returns the directory for temporary files. It is /tmp if the default is
// too long for the name of a unix socket, or not accessible to the user that a
// server started by root runs as.
func tempRoot() string {
	const longestSocketName = 103 - len("/rowkeeper-1234567890/pb999/.s.PGSQL.6432")
	dir, err := filepath.Abs(os.TempDir())
	if err != nil || len(dir) > longestSocketName {
		return "/tmp"
	}
	if os.Geteuid() == 0 {
		for d := dir; ; d = filepath.Dir(d) {
			info, err := os.Stat(d)
			if err != nil || info.Mode().Perm()&0o001 == 0 {
				return "/tmp"
			}
			if d == filepath.Dir(d) {
				break
			}
		}
	}
	return dir
}

func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
