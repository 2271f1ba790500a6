package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
)

const envDemo = "ROWKEEPER_BANK_DEMO"

// demo is the program, with a directory for all files that it may leave behind.
type demo struct {
	t      *testing.T
	cmd    *exec.Cmd
	temp   string
	ended  chan struct{}
	mu     sync.Mutex // guards the fields below
	out    bytes.Buffer
	errors bytes.Buffer
}

// stream is one of the two outputs of a demo.
type stream struct {
	demo *demo
	to   *bytes.Buffer
}

func (s stream) Write(p []byte) (int, error) {
	s.demo.mu.Lock()
	defer s.demo.mu.Unlock()
	return s.to.Write(p)
}

// startDemo starts the program as a shell would, in a process group of its own.
func startDemo(t *testing.T, engine devdb.Engine, args ...string) *demo {
	t.Helper()
	temp, err := os.MkdirTemp("/tmp", "bank") // short enough for a socket
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(temp) })
	require.NoError(t, os.Chmod(temp, 0o755)) // a server started by root runs as another user
	d := &demo{t: t, temp: temp, ended: make(chan struct{})}
	d.cmd = exec.Command(os.Args[0], args...)
	d.cmd.Env = append(os.Environ(), envDemo+"=1", devdb.EnvURL+"=", devdb.EnvEngine+"="+string(engine), "TMPDIR="+temp)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.cmd.Stdout, d.cmd.Stderr = stream{d, &d.out}, stream{d, &d.errors}
	require.NoError(t, d.cmd.Start())
	go func() {
		defer close(d.ended)
		_ = d.cmd.Wait() // its state tells how it ended
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // if a check has failed
		<-d.ended
	})
	return d
}

func (d *demo) texts() (out, errors string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out.String(), d.errors.String()
}

// await waits until a condition is true that the program is about to reach.
func (d *demo) await(what string, is func() bool) {
	d.t.Helper()
	for giveUp := time.Now().Add(5 * time.Minute); !is(); time.Sleep(time.Millisecond) {
		out, errors := d.texts()
		select {
		case <-d.ended:
			d.t.Fatalf("%v before it came to: %s\n%s%s", d.cmd.ProcessState, what, out, errors)
		default:
		}
		if time.Now().After(giveUp) {
			d.t.Fatalf("it does not come to: %s\n%s%s", what, out, errors)
		}
	}
}

func (d *demo) awaitOutput(text string) string {
	d.t.Helper()
	var out string
	d.await(text, func() bool {
		out, _ = d.texts()
		return strings.Contains(out, text)
	})
	return out
}

// awaitFile waits for a file in the program's temporary directory.
func (d *demo) awaitFile(pattern string) {
	d.t.Helper()
	d.await(pattern, func() bool {
		found, _ := filepath.Glob(filepath.Join(d.temp, pattern))
		return len(found) > 0
	})
}

// stop sends a signal to the group, as a terminal does, and checks that the program
// ends with status 0 and leaves nothing.
func (d *demo) stop(sig syscall.Signal) {
	d.t.Helper()
	require.NoError(d.t, syscall.Kill(-d.cmd.Process.Pid, sig))
	select {
	case <-d.ended:
	case <-time.After(5 * time.Minute):
		d.t.Fatalf("it does not end by %v", sig)
	}
	out, errors := d.texts()
	require.Equal(d.t, 0, d.cmd.ProcessState.ExitCode(), "%v\n%s%s", d.cmd.ProcessState, out, errors)
	require.Empty(d.t, errors)
	left, err := os.ReadDir(d.temp)
	require.NoError(d.t, err)
	require.Empty(d.t, left)
	require.Empty(d.t, processesOn(d.temp))
	if open := regexp.MustCompile(`open at http://(\S+)`).FindStringSubmatch(out); open != nil {
		_, err := net.Dial("tcp", open[1])
		require.ErrorIs(d.t, err, syscall.ECONNREFUSED)
	}
}

// processesOn lists the processes that were started on a directory, if the system
// shows processes as files.
func processesOn(dir string) (found []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if line := strings.ReplaceAll(string(text), "\x00", " "); strings.Contains(line, dir) {
			found = append(found, line)
		}
	}
	return found
}

// eachOwnEngine runs f with every engine that the demo can start by itself.
func eachOwnEngine(t *testing.T, f func(t *testing.T, engine devdb.Engine)) {
	t.Parallel()
	if os.Getenv(devdb.EnvURL) != "" {
		t.Skip("nothing is started for " + devdb.EnvURL)
	}
	sources, err := devdb.Find()
	require.NoError(t, err)
	for _, s := range sources {
		t.Run(string(s.Engine), func(t *testing.T) {
			t.Parallel()
			f(t, s.Engine)
		})
	}
}

var quick = []string{"-duration", "50ms", "-workers", "4", "-addr", "127.0.0.1:0"}

// The printed commands work as printed.
func TestDemoPrintsCommandsThatWork(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl on this machine")
	}
	eachOwnEngine(t, func(t *testing.T, engine devdb.Engine) {
		d := startDemo(t, engine, quick...)
		out := d.awaitOutput("as if it did not exist\n  curl")
		d.await("the end of the line", func() bool {
			out, _ = d.texts()
			return strings.HasSuffix(out, "\n\n")
		})
		_, hints, found := strings.Cut(out, "Try:\n")
		require.True(t, found)
		// The commands do not print statuses, so curl is told to add them.
		home := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(home, ".curlrc"), []byte(`write-out = "%{http_code}\n"`), 0o644))
		answers := map[string][]string{} // by the comment over the command
		comment := ""
		for line := range strings.Lines(hints) {
			line = strings.TrimSpace(line)
			if text, is := strings.CutPrefix(line, "# "); is {
				comment = text
				continue
			}
			if line == "" {
				continue
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
			cmd.Env = append(os.Environ(), "CURL_HOME="+home, "no_proxy=*")
			text, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s\n%s", line, text)
			answers[comment] = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
			if strings.HasPrefix(comment, "what Alice has") {
				answers["again"] = []string{line}
			}
		}
		require.Len(t, answers, 5, "the printed commands")

		type accounts []struct {
			Name    string
			Balance int64
		}
		balances := func(answer []string) (a accounts) {
			require.Len(t, answer, 2)
			require.NoError(t, json.Unmarshal([]byte(answer[0]), &a))
			require.Equal(t, "200", answer[1])
			return a
		}
		require.Equal(t, accounts{{"everyday", 10_000}, {"savings", 0}}, balances(answers["what Alice has"]))

		poor := answers["more than she has: 422, insufficient_funds"]
		require.Contains(t, poor[0], `"insufficient_funds"`)
		require.Contains(t, poor[len(poor)-1], "422")

		twice := answers["twice the same request with the same key: one transfer, and the same answer"]
		require.Len(t, twice, 4, "%q", twice)
		require.Equal(t, "201", twice[1])
		require.Equal(t, twice[:2], twice[2:])
		require.Contains(t, twice[0], `"amount":5`)

		foreign := answers["an account of Bob's, asked for by Alice: 404, as if it did not exist"]
		require.Contains(t, foreign[len(foreign)-1], "404")

		again := exec.CommandContext(t.Context(), "sh", "-c", answers["again"][0])
		again.Env = append(os.Environ(), "CURL_HOME="+home, "no_proxy=*")
		text, err := again.Output()
		require.NoError(t, err)
		require.Equal(t, accounts{{"everyday", 9_995}, {"savings", 5}}, balances(strings.Split(strings.TrimSpace(string(text)), "\n")))
		d.stop(os.Interrupt.(syscall.Signal))
	})
}

// A port in use is reported, with advice, before anything is started.
func TestDemoSaysThatAnAddressIsTaken(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer other.Close()
	d := startDemo(t, "", "-addr", other.Addr().String())
	<-d.ended
	out, errors := d.texts()
	require.Equal(t, 1, d.cmd.ProcessState.ExitCode())
	require.Empty(t, out, "nothing was started")
	require.Contains(t, errors, other.Addr().String()+" is taken by another program")
	left, err := os.ReadDir(d.temp)
	require.NoError(t, err)
	require.Empty(t, left)

	hint := regexp.MustCompile(`make demo ARGS='(.*)'`).FindStringSubmatch(errors)
	require.NotNil(t, hint, errors)
	listener, err := listen(strings.Fields(hint[1])[1])
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	require.NoError(t, err)
	require.Regexp(t, `(?m)^demo:(.*\n)+?\t.*bank \$\(ARGS\)$`, string(makefile))
}

// A demo that is stopped at any moment leaves nothing.
func TestStoppedDemoLeavesNothing(t *testing.T) {
	storm := func(d *demo) { d.awaitOutput("read, then write: no transaction, for") }
	serving := func(d *demo) { d.awaitOutput("The bank is open at") }
	moments := map[devdb.Engine]map[string]func(d *demo){
		devdb.PostgreSQL: {
			"in initdb": func(d *demo) {
				d.awaitFile("*/pg/initdb.TERM")
				d.awaitFile("*/pg/data/PG_VERSION")
			},
			"while the server starts": func(d *demo) { d.awaitFile("*/pg/postgres.QUIT") },
			"in the storm":            storm,
			"while it serves":         serving,
		},
		devdb.CockroachDB: {
			"while the server starts": func(d *demo) { d.awaitFile("*/cockroach.KILL") },
			"in the storm":            storm,
			"while it serves":         serving,
		},
	}
	signals := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}
	if testing.Short() {
		signals = signals[:1]
	}
	eachOwnEngine(t, func(t *testing.T, engine devdb.Engine) {
		for _, sig := range signals {
			for name, await := range moments[engine] {
				t.Run(name+"/"+sig.String(), func(t *testing.T) {
					t.Parallel()
					args := slices.Clone(quick)
					if name == "in the storm" {
						args = append(args, "-duration", "1h")
					}
					d := startDemo(t, engine, args...)
					await(d)
					d.stop(sig)
				})
			}
		}
	})
}
