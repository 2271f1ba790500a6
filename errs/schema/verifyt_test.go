package schema_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/schema"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// spyT records the failures of a test.
type spyT struct {
	ctx    context.Context
	failed []string
}

func (s *spyT) Helper()                  {}
func (s *spyT) Context() context.Context { return s.ctx }
func (s *spyT) Errorf(format string, args ...any) {
	s.failed = append(s.failed, fmt.Sprintf(format, args...))
}

// Rowkeeper's own ledger needs no rule, though clients choose its keys.
func TestVerifyKnowsTheLedger(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), once.Schema)
		require.NoError(t, err)
		schema.VerifyT(t, db, errs.NewCatalog())
	})
}

func TestVerifyT(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), once.Schema+`; create table audit_log (id bigint, seen bigint,
			constraint audit_seen check (seen > 0), constraint audit_id check (id > 0));
			create table users (email text, constraint users_email_key unique (email))`)
		require.NoError(t, err)
		c := errs.NewCatalog(errs.Constraint("gone").Code("gone"))
		verify := func(ignored ...schema.Finding) []string {
			spy := &spyT{ctx: t.Context()}
			schema.VerifyT(spy, db, c, ignored...)
			return spy.failed
		}
		require.Len(t, verify(), 4)
		require.Len(t, verify(schema.Finding{Table: "audit_log"}), 2)
		require.Len(t, verify(schema.Finding{Table: "audit_log", Name: "audit_id"}), 3)
		require.Len(t, verify(schema.Finding{Kind: schema.MissingRule}), 1)
		require.Empty(t, verify(schema.Finding{Kind: schema.MissingRule, Table: "audit_log"}, schema.Finding{Name: "users_email_key"}, schema.Finding{Kind: schema.StaleRule}))
		c = errs.NewCatalog(errs.Constraint("users_email_key").Code("email_taken"))
		require.Equal(t, []string{`errs/schema: nothing was found that is ignored: stale rule, Table "", Name ""`},
			verify(schema.Finding{Kind: schema.MissingRule, Table: "audit_log"}, schema.Finding{Kind: schema.StaleRule}))
		require.Contains(t, verify(schema.Finding{}), "errs/schema: what is ignored has no Kind, Table or Name")
	})
	spy := &spyT{ctx: t.Context()}
	schema.VerifyT(spy, nil, errs.NewCatalog())
	require.Equal(t, []string{"errs/schema: the database is nil"}, spy.failed)
}
