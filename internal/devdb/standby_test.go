package devdb

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestStandbyFollowsAndIsPromoted(t *testing.T) {
	t.Setenv(EnvURL, "")
	found, err := Find()
	require.NoError(t, err)
	for _, s := range found {
		if s.Engine != PostgreSQL {
			continue
		}
		t.Run(s.From, func(t *testing.T) {
			primary, err := s.StartDurable(t.Context())
			require.NoError(t, err)
			defer primary.Stop()
			conn, err := pgx.Connect(t.Context(), primary.URL)
			require.NoError(t, err)
			_, err = conn.Exec(t.Context(), "create table kept (id int primary key)")
			require.NoError(t, err)

			standby, err := s.StartStandby(t.Context(), primary.URL)
			if errors.Is(err, ErrNoStandby) {
				t.Skip(err)
			}
			require.NoError(t, err)
			defer standby.Stop()
			copied, err := pgx.Connect(t.Context(), standby.URL)
			require.NoError(t, err)
			_, err = copied.Exec(t.Context(), "insert into kept values (1)")
			require.ErrorContains(t, err, "25006")
			_, err = conn.Exec(t.Context(), "insert into kept values (2)")
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				var id int
				return copied.QueryRow(t.Context(), "select id from kept").Scan(&id) == nil && id == 2
			}, 30*time.Second, 10*time.Millisecond, "it follows")

			require.NoError(t, primary.Kill())
			require.NoError(t, standby.Promote(t.Context()))
			_, err = copied.Exec(t.Context(), "insert into kept values (3)")
			require.NoError(t, err, "on the same connection")
			standby.Stop()
			require.NoDirExists(t, standby.sandbox.dir)
		})
	}
}

func TestNoStandby(t *testing.T) {
	_, err := Source{Engine: CockroachDB}.StartStandby(t.Context(), "")
	require.ErrorIs(t, err, ErrNoStandby)
	_, err = Source{Engine: PostgreSQL, From: t.TempDir()}.StartStandby(t.Context(), "")
	require.ErrorIs(t, err, ErrNoStandby)
	_, err = Source{Engine: PostgreSQL, external: true}.StartStandby(t.Context(), "")
	require.ErrorIs(t, err, ErrNoStandby)
}
