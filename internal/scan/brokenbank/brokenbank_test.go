package brokenbank

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// run probes a bank with a fault or a trap.
func run(t *testing.T, db *dbtest.DB, fault Fault, trap Trap) ([]finding.Finding, *finding.Coverage) {
	t.Helper()
	require.NoError(t, CreateSchema(t.Context(), db.Pool, fault))
	as := map[string]config.Credential{}
	for _, name := range []string{"alice", "bob"} {
		token := rand.Text()
		require.NoError(t, NewUser(t.Context(), db.Pool, name, token))
		as[name] = config.Credential{Header: map[string]string{"Authorization": "Bearer " + token}}
	}
	var requests atomic.Int64
	bank := Trapped(New(db.Pool, fault), trap)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		bank.ServeHTTP(w, r)
	}))
	defer srv.Close()
	begin := time.Now()
	findings, coverage, err := probe.Run(t.Context(), probe.Options{Probe: config.Probe{
		Spec: "openapi.yaml", URL: srv.URL, Principals: as, Limits: config.Limits{Time: 10 * time.Minute},
	}})
	require.NoError(t, err)
	t.Logf("%s%s: %d requests in %v", fault, trap, requests.Load(), time.Since(begin).Round(time.Millisecond))
	return findings, coverage
}

func TestCorrectBank(t *testing.T) {
	times := 2
	if os.Getenv("ROWKEEPER_LONG") != "" {
		times = 20
	}
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		for i := range times {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				_, err := db.Exec(t.Context(), "drop table if exists transfers, accounts, notices, users, rowkeeper_ledger")
				require.NoError(t, err)
				findings, coverage := run(t, db, None, NoTrap)
				require.Empty(t, show(findings))
				require.EqualValues(t, 1, coverage.Reached(), "%+v", coverage.Subjects)
				for id, why := range coverage.Rules {
					require.Empty(t, why, id)
				}
			})
		}
	})
}

func show(findings []finding.Finding) (lines []string) {
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("%s %s %s: %s %v", f.Rule, f.Confidence, f.Place.Object, f.Message, f.Evidence))
	}
	return lines
}

// expected is the rule that finds each fault, and what else may be found because of it.
var expected = []struct {
	fault        Fault
	rule         string
	consequences []string
}{
	{ReadUnscoped, "RKP02", nil},
	{PatchUnscoped, "RKP03", nil},
	{DeleteHidden, "RKP03", nil},
	{DepositUnscoped, "RKP03", nil},
	{TransferFromStranger, "RKP04", nil},
	{ListAll, "RKP05", nil},
	{FilterUnscoped, "RKP05", nil},
	{CursorOfOther, "RKP05", nil},
	{Existence, "RKP06", nil},
	{BalanceAtCreate, "RKP07", nil},
	{OwnerByPatch, "RKP07", nil},
	{TokenHashShown, "RKP08", nil},
	{TransfersOpen, "RKP01", nil},
	{TokenPrefix, "RKP01", nil},
	{BadUUID, "RKP09", nil},
	{NULInName, "RKP09", nil},
	{BigAmount, "RKP09", nil},
	{NegativeAmount, "RKP10", nil},
	{LongName, "RKP10", nil},
	{SQLStateShown, "RKP11", nil},
	{DepositRace, "RKP12", nil},
	{WithdrawRace, "RKP13", nil},
	{NameRace, "RKP14", nil},
	{NameCrash, "RKP14", nil},
	{NoRetry, "RKP15", nil},
	{KeyIgnored, "RKP16", nil},
	{KeyWithoutOwner, "RKP16", nil},
	{KeyOtherBody, "RKP16", nil},
	{IfMatchIgnored, "RKP17", nil},
	{DebitKept, "RKP18", nil},
}

func TestEachFaultIsFoundAlone(t *testing.T) {
	t.Parallel()
	for _, tc := range expected {
		t.Run(string(tc.fault), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				findings, _ := run(t, db, tc.fault, NoTrap)
				found := false
				for _, f := range findings {
					found = found || f.Rule == tc.rule && f.Confidence >= finding.Strong
					require.Contains(t, append(tc.consequences, tc.rule), f.Rule, show(findings))
				}
				require.True(t, found, show(findings))
			})
		})
	}
}

func TestTrapsAreNoFindings(t *testing.T) {
	t.Parallel()
	for _, trap := range []Trap{ErrorIn200, Honest503} {
		t.Run(string(trap), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				findings, coverage := run(t, db, None, trap)
				require.Empty(t, show(findings))
				require.EqualValues(t, 1, coverage.Reached(), "%+v", coverage.Subjects)
			})
		})
	}
}
