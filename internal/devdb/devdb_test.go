package devdb

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const envChild = "ROWKEEPER_DEVDB_CHILD"

// patience is the time for events that must happen, however slow the machine is.
const patience = 5 * time.Minute

// TestMain lets the test binary act as a process that starts a server and ends
// badly.
func TestMain(m *testing.M) {
	how := os.Getenv(envChild)
	if how == "" {
		os.Exit(m.Run())
	}
	found, err := Find()
	if err == nil {
		var srv *Server
		if srv, err = found[0].Start(context.Background()); err == nil {
			fmt.Println(srv.sandbox.dir)
			fmt.Println(srv.URL)
		}
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	switch how {
	case "panic":
		panic("as the test asked")
	case "exit":
		os.Exit(3)
	}
	select {} // until a signal
}

func TestServerAnswersAndLeavesNothing(t *testing.T) {
	found, err := Find()
	require.NoError(t, err)
	for _, s := range found {
		t.Run(string(s.Engine), func(t *testing.T) {
			srv, err := s.Start(t.Context())
			require.NoError(t, err)
			defer srv.Stop()
			require.NotEmpty(t, srv.Version)

			conn, err := pgx.Connect(t.Context(), srv.URL)
			require.NoError(t, err)
			var one int
			require.NoError(t, conn.QueryRow(t.Context(), "select 1").Scan(&one))
			require.NoError(t, conn.Close(t.Context()))
			require.True(t, isLocal(conn.Config().Host), conn.Config().Host)

			srv.Stop()
			srv.Stop()
			_, err = pgx.Connect(t.Context(), srv.URL)
			require.Error(t, err)
			if !srv.External {
				require.NoDirExists(t, srv.sandbox.dir)
			}
		})
	}
}

func isLocal(host string) bool {
	return strings.HasPrefix(host, "/") || host == "localhost" || host == "127.0.0.1" || host == "::1" ||
		os.Getenv(EnvURL) != ""
}

func TestNothingSurvivesAProcessThatEndsBadly(t *testing.T) {
	if os.Getenv(EnvURL) != "" {
		t.Skip("nothing is started for " + EnvURL)
	}
	for _, engine := range []Engine{PostgreSQL, CockroachDB} {
		for _, how := range []string{"panic", "exit", "interrupt", "kill"} {
			if testing.Short() && how != "kill" {
				continue
			}
			t.Run(string(engine)+"/"+how, func(t *testing.T) {
				if !available(engine) {
					t.Skipf("no %s on this machine", engine)
				}
				t.Parallel()
				temp, err := os.MkdirTemp("/tmp", "devdb") // short enough for a socket
				require.NoError(t, err)
				defer os.RemoveAll(temp)
				require.NoError(t, os.Chmod(temp, 0o755))
				cmd := exec.CommandContext(t.Context(), os.Args[0])
				cmd.Env = append(os.Environ(), envChild+"="+how, EnvEngine+"="+string(engine), "TMPDIR="+temp)
				out, err := cmd.StdoutPipe()
				require.NoError(t, err)
				require.NoError(t, cmd.Start())
				lines := bufio.NewScanner(out)
				require.True(t, lines.Scan())
				dir := lines.Text()
				require.True(t, lines.Scan(), dir)
				url := lines.Text()
				switch how {
				case "interrupt":
					require.NoError(t, cmd.Process.Signal(os.Interrupt))
				case "kill":
					require.NoError(t, cmd.Process.Kill())
				}
				require.Error(t, cmd.Wait())
				require.Eventually(t, func() bool {
					_, err := os.Stat(dir)
					return os.IsNotExist(err)
				}, patience, 10*time.Millisecond, "%s is still there", dir)
				require.Equal(t, temp, filepath.Dir(dir))
				left, err := os.ReadDir(temp)
				require.NoError(t, err)
				require.Empty(t, left)
				_, err = pgx.Connect(t.Context(), url)
				require.Error(t, err)
			})
		}
	}
}

func TestNothingSurvivesAProcessKilledWhileItStarts(t *testing.T) {
	if os.Getenv(EnvURL) != "" || !available(PostgreSQL) {
		t.Skip("PostgreSQL is not started here")
	}
	if testing.Short() {
		t.Skip("not with -short")
	}
	t.Parallel()
	temp, err := os.MkdirTemp("/tmp", "devdb")
	require.NoError(t, err)
	defer os.RemoveAll(temp)
	require.NoError(t, os.Chmod(temp, 0o755))
	for _, sign := range []string{"initdb.TERM", "postgres.QUIT"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), envChild+"=kill", EnvEngine+"="+string(PostgreSQL), "TMPDIR="+temp)
		require.NoError(t, cmd.Start())
		var pid string
		require.Eventually(t, func() bool {
			found, _ := filepath.Glob(filepath.Join(temp, "*", "pg", sign))
			if len(found) == 0 {
				return false
			}
			text, _ := os.ReadFile(found[0])
			pid = strings.TrimSpace(string(text))
			return pid != ""
		}, patience, time.Millisecond, sign)
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		require.Eventually(t, func() bool {
			left, err := os.ReadDir(temp)
			return err == nil && len(left) == 0 && exec.Command("sh", "-c", "kill -s 0 -- "+pid).Run() != nil
		}, patience, 10*time.Millisecond, "killed at %s", sign)
	}
}

func available(engine Engine) bool {
	if only := os.Getenv(EnvEngine); only != "" && only != string(engine) {
		return false
	}
	if engine == PostgreSQL {
		dirs, err := postgresPrograms()
		return err == nil && len(dirs) > 0
	}
	bin, err := cockroachBinary()
	return err == nil && bin != ""
}

func TestFindSaysWhatIsWrong(t *testing.T) {
	t.Run("unknown engine", func(t *testing.T) {
		t.Setenv(EnvEngine, "mysql")
		_, err := Find()
		require.ErrorContains(t, err, `ROWKEEPER_TEST_ENGINE="mysql": use "postgresql" or "cockroachdb"`)
	})
	t.Run("binary that is not there", func(t *testing.T) {
		t.Setenv(EnvEngine, "")
		t.Setenv(EnvURL, "")
		t.Setenv(EnvBinary, "/nowhere/cockroach")
		_, err := Find()
		require.ErrorContains(t, err, EnvBinary)
	})
	t.Run("folders of PostgreSQL", func(t *testing.T) {
		t.Setenv(EnvEngine, string(PostgreSQL))
		t.Setenv(EnvURL, "")
		var dirs []string
		for range 2 {
			dir := t.TempDir()
			for _, name := range []string{"initdb", "postgres"} {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o755))
			}
			dirs = append(dirs, dir)
		}
		t.Setenv(EnvPostgres, strings.Join(dirs, string(os.PathListSeparator)))
		found, err := Find()
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.Equal(t, dirs, []string{found[0].From, found[1].From})
		require.NoError(t, os.Remove(filepath.Join(dirs[1], "postgres")))
		_, err = Find()
		require.ErrorContains(t, err, EnvPostgres)
		require.ErrorContains(t, err, dirs[1])
	})
	t.Run("nothing at all", func(t *testing.T) {
		t.Setenv(EnvEngine, string(PostgreSQL))
		t.Setenv(EnvURL, "")
		t.Setenv(EnvPostgres, "")
		t.Setenv("PATH", t.TempDir())
		old := postgresDirs
		postgresDirs = nil
		defer func() { postgresDirs = old }()
		_, err := Find()
		require.ErrorIs(t, err, ErrNone)
		require.ErrorContains(t, err, "apt-get install postgresql")
		require.ErrorContains(t, err, "brew install")
	})
	t.Run("url before everything", func(t *testing.T) {
		t.Setenv(EnvEngine, "")
		t.Setenv(EnvURL, "postgres://localhost/x")
		found, err := Find()
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, EnvURL, found[0].From)
	})
}

func TestBrokenServerShowsItsWords(t *testing.T) {
	t.Setenv(EnvURL, "")
	bin := t.TempDir()
	require.NoError(t, os.Chmod(bin, 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(bin), 0o755))
	for _, name := range []string{"initdb", "postgres"} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\necho no disk left; exit 1\n"), 0o755))
	}
	_, err := postgresSource(bin).Start(t.Context())
	require.ErrorContains(t, err, "no disk left")
}

func TestTempRootFitsASocket(t *testing.T) {
	closed := t.TempDir()
	require.NoError(t, os.Chmod(closed, 0o700))
	t.Setenv("TMPDIR", "/tmp/"+strings.Repeat("x", 90))
	require.Equal(t, "/tmp", tempRoot())
	t.Setenv("TMPDIR", closed)
	if os.Geteuid() == 0 {
		require.Equal(t, "/tmp", tempRoot(), "closed to the server's user")
	}
}

func TestNewestVersionFirst(t *testing.T) {
	require.Greater(t, version("/usr/lib/postgresql/17/bin"), version("/usr/lib/postgresql/9/bin"))
}
