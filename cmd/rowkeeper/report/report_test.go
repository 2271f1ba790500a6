package report_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/report"
)

func rule(id, name string, severity finding.Severity) *finding.Rule {
	return &finding.Rule{ID: id, Name: name, Title: name + " title", Severity: severity, CWE: []int{639}, API: "API1", Why: "Why.", Fix: "Mend it."}
}

var rules = finding.Rules{
	rule("RKA08", "unbounded-balance", finding.High),
	rule("RKP02", "bola-read", finding.Critical),
	rule("RKV17", "detached-ctx", finding.Low),
}

func found(id, object string, confidence finding.Confidence) finding.Finding {
	return rules.Find(id).New(confidence, finding.Place{Object: object}, "Something is wrong with "+object+".", object)
}

func covered() []finding.Coverage {
	c := finding.Coverage{Engine: "audit", Rules: map[string]string{"RKA08": "", "RKP02": "", "RKV17": "no code"}}
	c.Reach("public.accounts")
	return []finding.Coverage{c}
}

func newReport(t *testing.T, c *config.Config, b *finding.Baseline, findings ...finding.Finding) *report.Report {
	t.Helper()
	r, err := report.New(findings, covered(), report.Options{Version: "1.2.3", Rules: rules, Config: c, Baseline: b, Confidence: finding.Strong})
	require.NoError(t, err)
	return r
}

func text(t *testing.T, r *report.Report, color bool) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.Text(&b, color))
	return b.String()
}

func TestSuspectedIsHidden(t *testing.T) {
	t.Parallel()
	r := newReport(t, new(config.Config), new(finding.Baseline), found("RKA08", "a", finding.Suspected), found("RKA08", "b", finding.Proved))
	require.Len(t, r.Findings, 1)
	require.Equal(t, 1, r.Hidden)
	require.Contains(t, text(t, r, false), "1 finding: 1 high; 1 only suspected")
}

func TestIgnoresNeedAMatch(t *testing.T) {
	t.Parallel()
	c := &config.Config{Ignore: []config.Ignore{
		{Rule: "unbounded-balance", Object: "public.*.balance", Reason: "a debt"},
		{Rule: "RKP02", Object: "*", Reason: "none"},
		{Rule: "RKV17", Reason: "not judged here"},
	}}
	r := newReport(t, c, new(finding.Baseline), found("RKA08", "public.accounts.balance", finding.Strong), found("RKA08", "public.accounts.balances", finding.Strong))
	require.Len(t, r.Findings, 1)
	require.Equal(t, "public.accounts.balances", r.Findings[0].Place.Object)
	require.Equal(t, "a debt", r.Ignored[0].Reason)
	require.Equal(t, []string{"configuration: ignore RKP02 * matches no finding"}, r.Notes)
}

func TestUnknownRulesInTheConfigurationAreErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []*config.Config{
		{Ignore: []config.Ignore{{Rule: "RKX1", Reason: "r"}}},
		{Severity: map[string]config.Severity{"RKX1": "low"}},
		{Severity: map[string]config.Severity{"RKA08": "dire"}},
	} {
		_, err := report.New(nil, covered(), report.Options{Rules: rules, Config: c, Baseline: new(finding.Baseline)})
		require.Error(t, err)
	}
}

func TestSeveritiesOfTheConfiguration(t *testing.T) {
	t.Parallel()
	c := &config.Config{Severity: map[string]config.Severity{"RKA08": "low", "bola-read": "off"}}
	r := newReport(t, c, new(finding.Baseline), found("RKA08", "a", finding.Strong), found("RKP02", "b", finding.Proved))
	require.Len(t, r.Findings, 1)
	require.Equal(t, finding.Low, r.Worst())
}

func TestKnownFindingsAreNotShown(t *testing.T) {
	t.Parallel()
	old, gone := found("RKA08", "a", finding.Strong), found("RKA08", "gone", finding.Strong)
	all := func(string) bool { return true }
	b := new(finding.Baseline).Update([]finding.Finding{old, gone}, all)
	r := newReport(t, new(config.Config), b, old)
	require.Empty(t, r.Findings)
	require.Equal(t, 1, r.Known)
	require.Contains(t, text(t, r, false), "the baseline knows RKA08 at gone, which was not found again")
}

func TestExit(t *testing.T) {
	t.Parallel()
	high := newReport(t, new(config.Config), new(finding.Baseline), found("RKA08", "a", finding.Strong))
	require.Equal(t, report.Found, high.Exit(finding.High, 0.8))
	require.Equal(t, report.Clean, high.Exit(finding.Critical, 0.8))
	clean := newReport(t, new(config.Config), new(finding.Baseline))
	require.Equal(t, report.Clean, clean.Exit(finding.Low, 0.8))

	for name, c := range map[string]finding.Coverage{
		"nothing": {Engine: "vet"},
		"too few": {Engine: "vet", Subjects: []finding.Subject{{Name: "a"}, {Name: "b", Skipped: "it does not compile"}}},
		"failure": {Engine: "vet", Subjects: []finding.Subject{{Name: "a"}}, Failure: "interrupted"},
	} {
		clean.Coverage = []finding.Coverage{c}
		require.Equal(t, report.CouldNotJudge, clean.Exit(finding.Low, 0.8), name)
	}
}

func TestTextShowsWhatWasNotLookedAt(t *testing.T) {
	t.Parallel()
	r := newReport(t, new(config.Config), new(finding.Baseline), found("RKP02", "GET /accounts/{id}", finding.Proved))
	r.Findings[0].Evidence = []finding.Evidence{{Kind: finding.Exchange, Text: "GET /accounts/7\n200 \x1b[2Jalice"}}
	r.Coverage[0].Skip("public.logs", "no privilege")
	require.Equal(t, `critical RKP02 bola-read (proved)
  GET /accounts/{id}
  Something is wrong with GET /accounts/{id}.
    | GET /accounts/7
    | 200 �[2Jalice
  fix: Mend it.

audit: looked at 1 of 2 tables, judged 2 of 3 rules
  not looked at: public.logs: no privilege
  not judged: RKV17: no code
1 finding: 1 critical
`, text(t, r, false))
	require.Contains(t, text(t, r, true), "\x1b[1;35mcritical\x1b[0m")
}

func TestSARIFPlacesEveryResult(t *testing.T) {
	t.Parallel()
	c := &config.Config{Ignore: []config.Ignore{{Object: "ignored", Reason: "r"}}}
	r := newReport(t, c, new(finding.Baseline), found("RKA08", "a", finding.Strong), found("RKA08", "ignored", finding.Strong))
	var b bytes.Buffer
	require.NoError(t, r.SARIF(&b, "rowkeeper.yaml"))
	var log struct {
		Version string
		Runs    []struct {
			Results []struct {
				RuleID       string
				RuleIndex    int
				Level        string
				Suppressions []struct{ Justification string }
				Locations    []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
				PartialFingerprints map[string]string
			}
		}
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &log))
	require.Equal(t, "2.1.0", log.Version)
	require.Len(t, log.Runs[0].Results, 2)
	for _, result := range log.Runs[0].Results {
		require.Equal(t, "error", result.Level)
		require.Equal(t, "rowkeeper.yaml", result.Locations[0].PhysicalLocation.ArtifactLocation.URI)
		require.Equal(t, 1, result.Locations[0].PhysicalLocation.Region.StartLine)
		require.Len(t, result.PartialFingerprints, 1)
	}
	require.Equal(t, "r", log.Runs[0].Results[1].Suppressions[0].Justification)
}

func TestJSONHasNoNullLists(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, newReport(t, new(config.Config), new(finding.Baseline)).JSON(&b))
	require.Contains(t, b.String(), `"findings": []`)
	require.Contains(t, b.String(), `"ignored": []`)
}
