package audit_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

var fixtures = slices.Concat(ownerFixtures, keyFixtures, valueFixtures, rightFixtures)

func TestEveryRuleHasAFixture(t *testing.T) {
	t.Parallel()
	for _, r := range audit.Rules() {
		if r.ID == "RKA16" { // see durability_test.go
			continue
		}
		require.True(t, slices.ContainsFunc(fixtures, func(f fixture) bool { return f.rule == r.ID && f.bad != "" }), r.ID)
		require.True(t, slices.ContainsFunc(fixtures, func(f fixture) bool { return f.rule == r.ID && f.good != "" }), r.ID)
	}
}

// Each fault is found, and the remedy removes it.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures {
		t.Run(f.rule+" "+f.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f.prepare(t, db)
				run(t, db.Pool, f.fill(db, f.bad))
				findings, coverage := runAudit(t, db, f.options(db))
				require.Equal(t, f.want, objectsOf(db, findings, f.rule))
				if why := coverage.Rules[f.rule]; f.role || f.rule != "RKA13" {
					require.Empty(t, why)
				} else {
					require.Equal(t, "only policies and views, because rowkeeper.yaml names no role", why)
				}

				mended := map[string]bool{}
				for _, x := range findings {
					if x.Rule == f.rule {
						require.Equal(t, f.noSQL, x.Remedy.SQL == "", "%s %s", x.Rule, x.Message)
						run(t, db.Pool, x.Remedy.SQL)
						mended[x.Fingerprint()] = !f.noSQL
					}
				}
				findings, _ = runAudit(t, db, f.options(db))
				for _, x := range findings {
					require.False(t, mended[x.Fingerprint()], "found again after its remedy: %s: %s", x.Message, x.Remedy.SQL)
				}
			})
		})
	}
}

// A schema that looks faulty and is right has no findings.
func TestNearMissesAreSilent(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures {
		if f.good == "" {
			continue
		}
		t.Run(f.rule+" "+f.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f.prepare(t, db)
				run(t, db.Pool, f.fill(db, f.good))
				findings, _ := runAudit(t, db, f.options(db))
				require.Empty(t, objectsOf(db, findings, f.rule))
			})
		})
	}
}

func (f fixture) prepare(t *testing.T, db *dbtest.DB) {
	t.Helper()
	if f.postgres > 0 && (db.Cockroach() || postgresVersion(t, db) < f.postgres) {
		t.Skip("it has none of these")
	}
	if !f.role {
		return
	}
	run(t, db.Pool, "create role "+roleOf(db)+";\ngrant usage on schema "+db.Schema+" to "+roleOf(db))
	t.Cleanup(func() {
		if db.Cockroach() {
			return // its servers are not kept
		}
		ctx := context.WithoutCancel(t.Context())
		_, err := db.Exec(ctx, "drop schema "+db.Schema+" cascade; create schema "+db.Schema+"; drop role "+roleOf(db)+"; drop role if exists "+roleOf(db)+"_owner")
		require.NoError(t, err)
	})
}

// postgresVersion returns the major version of PostgreSQL.
func postgresVersion(t testing.TB, db *dbtest.DB) int {
	t.Helper()
	var s string
	require.NoError(t, db.QueryRow(t.Context(), "show server_version").Scan(&s))
	major, _, _ := strings.Cut(s, ".")
	n, err := strconv.Atoi(major)
	require.NoError(t, err)
	return n
}
