package devdb

import (
	"context"
	"os/exec"
	"runtime"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestDurableServerKeepsWhatItCommitted(t *testing.T) {
	t.Setenv(EnvURL, "")
	found, err := Find()
	require.NoError(t, err)
	for _, s := range found {
		t.Run(string(s.Engine), func(t *testing.T) {
			srv, err := s.StartDurable(t.Context())
			require.NoError(t, err)
			defer srv.Stop()
			require.Equal(t, s.Engine, srv.Engine)
			require.ErrorContains(t, srv.Start(t.Context()), "runs")

			conn, err := pgx.Connect(t.Context(), srv.URL)
			require.NoError(t, err)
			_, err = conn.Exec(t.Context(), "create table kept (id int primary key)")
			require.NoError(t, err)
			for round := range 3 {
				_, err = conn.Exec(t.Context(), "insert into kept values ($1)", round)
				require.NoError(t, err)
				pid := srv.Pid()
				require.NoError(t, srv.Kill())
				require.ErrorContains(t, srv.Kill(), "does not run")
				require.Error(t, exec.Command("sh", "-c", "kill -s 0 -- "+strconv.Itoa(pid)).Run(), "it is still there")
				require.Error(t, conn.Ping(t.Context()))

				url := srv.URL
				require.NoError(t, srv.Start(t.Context()))
				require.Equal(t, url, srv.URL)
				conn, err = pgx.Connect(t.Context(), srv.URL)
				require.NoError(t, err)
				var n int
				require.NoError(t, conn.QueryRow(t.Context(), "select count(*) from kept").Scan(&n))
				require.Equal(t, round+1, n)
			}
			if srv.Engine == PostgreSQL {
				for _, name := range []string{"fsync", "synchronous_commit"} {
					var on string
					require.NoError(t, conn.QueryRow(t.Context(), "select current_setting($1)", name).Scan(&on))
					require.Equal(t, "on", on, name)
				}
			}
			srv.Stop()
			require.NoDirExists(t, srv.sandbox.dir)
			_, err = pgx.Connect(t.Context(), srv.URL)
			require.Error(t, err)
		})
	}
}

func TestDurableServerMustBeOurs(t *testing.T) {
	t.Setenv(EnvURL, "postgres://localhost/x")
	found, err := Find()
	require.NoError(t, err)
	_, err = found[0].StartDurable(t.Context())
	require.ErrorContains(t, err, "not this program's to kill")
}

// Others may connect while a server is killed and started again.
func TestAddressOfADurableServerIsReadByOthers(t *testing.T) {
	t.Setenv(EnvURL, "")
	found, err := Find()
	require.NoError(t, err)
	for _, s := range found {
		t.Run(string(s.Engine), func(t *testing.T) {
			srv, err := s.StartDurable(t.Context())
			require.NoError(t, err)
			defer srv.Stop()
			url, restarted := srv.URL, make(chan struct{})
			done := make(chan error, 1)
			go func() {
				defer close(restarted)
				if err := srv.Kill(); err != nil {
					done <- err
					return
				}
				done <- srv.Start(context.Background())
			}()
			for over := false; !over; {
				require.Equal(t, url, srv.URL)
				select {
				case <-restarted:
					over = true
				default:
					runtime.Gosched()
				}
			}
			require.NoError(t, <-done)
		})
	}
}
