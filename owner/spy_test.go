package owner_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

// spy is a transaction that records the statements.
type spy struct {
	pgx.Tx
	db   *dbtest.DB
	sent []string
}

func (s *spy) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	s.sent = append(s.sent, sql)
	return s.Tx.Query(ctx, sql, args...)
}

func (s *spy) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	s.sent = append(s.sent, sql)
	return s.Tx.Exec(ctx, sql, args...)
}

func (s *spy) last() string { return s.sent[len(s.sent)-1] }

func (s *spy) must(t *testing.T, sql string) {
	t.Helper()
	_, err := s.Tx.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// apart runs f in a savepoint and rolls it back.
func (s *spy) apart(t *testing.T, f func(pgx.Tx) error) error {
	t.Helper()
	point, err := s.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, point.Rollback(context.Background())) }()
	return f(point)
}
