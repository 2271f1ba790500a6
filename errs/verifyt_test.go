package errs_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// spyT keeps what a test was failed with.
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
		_, err := db.Exec(t.Context(), txn.LedgerSchema)
		require.NoError(t, err)
		errs.NewCatalog().VerifyT(t, db)
	})
}

func TestVerifyT(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), txn.LedgerSchema+`; create table audit_log (id bigint, seen bigint,
			constraint audit_seen check (seen > 0), constraint audit_id check (id > 0));
			create table users (email text, constraint users_email_key unique (email))`)
		require.NoError(t, err)
		c := errs.NewCatalog(errs.Constraint("gone").Code("gone"))
		verify := func(ignored ...errs.Finding) []string {
			spy := &spyT{ctx: t.Context()}
			c.VerifyT(spy, db, ignored...)
			return spy.failed
		}
		require.Len(t, verify(), 4)
		require.Len(t, verify(errs.Finding{Table: "audit_log"}), 2)
		require.Len(t, verify(errs.Finding{Table: "audit_log", Name: "audit_id"}), 3)
		require.Len(t, verify(errs.Finding{Kind: errs.MissingRule}), 1)
		require.Empty(t, verify(errs.Finding{Kind: errs.MissingRule, Table: "audit_log"}, errs.Finding{Name: "users_email_key"}, errs.Finding{Kind: errs.StaleRule}))
		c = errs.NewCatalog(errs.Constraint("users_email_key").Code("email_taken"))
		require.Equal(t, []string{`errs: VerifyT: nothing was found that is ignored: stale rule, Table "", Name ""`},
			verify(errs.Finding{Kind: errs.MissingRule, Table: "audit_log"}, errs.Finding{Kind: errs.StaleRule}))
		require.Contains(t, verify(errs.Finding{}), "errs: VerifyT: what is ignored has no Kind, Table or Name")
	})
	spy := &spyT{ctx: t.Context()}
	errs.NewCatalog().VerifyT(spy, nil)
	require.Equal(t, []string{"errs: Verify: the database is nil"}, spy.failed)
}
