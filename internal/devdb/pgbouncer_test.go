package devdb

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestPoolerAnswersAndLeavesNothing(t *testing.T) {
	found, err := Find()
	require.NoError(t, err)
	for _, s := range found {
		t.Run(string(s.Engine), func(t *testing.T) {
			srv, err := s.Start(t.Context())
			require.NoError(t, err)
			defer srv.Stop()
			p, err := srv.StartPooler(t.Context(), PoolerConfig{
				Settings:  map[string]string{"default_pool_size": "1"},
				OnConnect: "set application_name = 'it''s me'",
			})
			if errors.Is(err, ErrNoPooler) {
				t.Skip(err)
			}
			require.NoError(t, err)
			defer p.Stop()

			session := func() (pid int, name string) {
				conn, err := pgx.Connect(t.Context(), p.URL)
				require.NoError(t, err)
				defer conn.Close(context.Background())
				_, err = conn.Exec(t.Context(), "set search_path = public")
				require.NoError(t, err)
				if s.Engine == CockroachDB {
					return 0, ""
				}
				require.NoError(t, conn.QueryRow(t.Context(), "select pg_backend_pid(), current_setting('application_name')",
					pgx.QueryExecModeSimpleProtocol).Scan(&pid, &name))
				return pid, name
			}
			one, _ := session()
			two, _ := session()
			require.Equal(t, one, two, "both had the only session")
			require.NoError(t, p.Tell(t.Context(), "reconnect"))
			three, _ := session()
			if s.Engine == PostgreSQL {
				require.NotEqual(t, one, three)
			}
			require.Error(t, p.Tell(t.Context(), "dance"))

			p.Stop()
			p.Stop()
			_, err = pgx.Connect(t.Context(), p.URL)
			require.Error(t, err)
			conn, err := pgx.Connect(t.Context(), srv.URL)
			require.NoError(t, err, "the server is still there")
			require.NoError(t, conn.Close(t.Context()))

			p, err = srv.StartPooler(t.Context(), PoolerConfig{})
			require.NoError(t, err)
			srv.Stop()
			select {
			case <-p.process.ended:
			case <-time.After(30 * time.Second):
				t.Error("it is still there without its server")
			}
		})
	}
}

func TestNoPooler(t *testing.T) {
	t.Setenv(EnvPooler, "")
	old := poolerPrograms
	poolerPrograms = nil
	defer func() { poolerPrograms = old }()
	_, err := new(Server).StartPooler(t.Context(), PoolerConfig{})
	require.ErrorIs(t, err, ErrNoPooler)
	require.ErrorContains(t, err, EnvPooler)
}

func TestBrokenPoolerShowsItsWords(t *testing.T) {
	found, err := Find()
	require.NoError(t, err)
	srv, err := found[0].Start(t.Context())
	require.NoError(t, err)
	defer srv.Stop()
	_, err = srv.StartPooler(t.Context(), PoolerConfig{Settings: map[string]string{"pool_mode": "swimming"}})
	if errors.Is(err, ErrNoPooler) {
		t.Skip(err)
	}
	require.ErrorContains(t, err, "swimming")
}
