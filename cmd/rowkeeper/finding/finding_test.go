package finding_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

func at(rule, object string, line int) finding.Finding {
	return finding.Finding{
		Rule: rule, Severity: finding.High, Confidence: finding.Strong,
		Place: finding.Place{File: "a.go", Line: line, Object: object}, Identity: []string{object},
	}
}

func TestFingerprintsOutliveMovedLines(t *testing.T) {
	t.Parallel()
	before, after := at("RKV01", "f", 3), at("RKV01", "f", 300)
	require.Equal(t, before.Fingerprint(), after.Fingerprint())
	for _, other := range []finding.Finding{at("RKV02", "f", 3), at("RKV01", "g", 3)} {
		require.NotEqual(t, before.Fingerprint(), other.Fingerprint())
	}
	joined, split := at("RKV01", "", 0), at("RKV01", "", 0)
	joined.Identity, split.Identity = []string{"ab"}, []string{"a", "b"}
	require.NotEqual(t, joined.Fingerprint(), split.Fingerprint())
}

func TestSortPutsTheMostSevereFirst(t *testing.T) {
	t.Parallel()
	findings := []finding.Finding{at("RKV02", "b", 2), at("RKV01", "a", 9), at("RKV01", "a", 1), {Rule: "RKV09", Severity: finding.Critical}}
	finding.Sort(findings)
	require.Equal(t, []finding.Finding{{Rule: "RKV09", Severity: finding.Critical}, at("RKV01", "a", 1), at("RKV01", "a", 9), at("RKV02", "b", 2)}, findings)
}

func TestLevelsAreNamed(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(at("RKV01", "f", 1))
	require.NoError(t, err)
	require.Contains(t, string(text), `"severity":"high","confidence":"strong"`)
	var s finding.Severity
	require.NoError(t, s.UnmarshalText([]byte("critical")))
	require.Equal(t, finding.Critical, s)
	require.ErrorContains(t, s.UnmarshalText([]byte("dire")), "the names are [low medium high critical]")
	require.Equal(t, "unknown", finding.Severity(0).String())
}

func TestPositions(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a.go:3:7", finding.Place{File: "a.go", Line: 3, Column: 7}.Position())
	require.Equal(t, "a.go:3", finding.Place{File: "a.go", Line: 3}.Position())
	require.Equal(t, "a.go", finding.Place{File: "a.go"}.Position())
	require.Equal(t, "t", finding.Place{File: "a.go", Object: "t"}.Name())
	require.Equal(t, "a.go", finding.Place{File: "a.go"}.Name())
}

func TestJoinRefusesIncompleteAndRepeatedRules(t *testing.T) {
	t.Parallel()
	whole := finding.Rule{ID: "RKV01", Name: "pool-in-tx", Title: "t", Severity: finding.High, CWE: []int{1}, Why: "w", Fix: "f"}
	same, other, part := whole, whole, whole
	other.ID, other.Name = "RKA01", "owner-nullable"
	part.Why = ""
	rules, err := finding.Join(finding.Rules{&whole}, finding.Rules{&other})
	require.NoError(t, err)
	require.Equal(t, finding.Rules{&other, &whole}, rules)
	require.Same(t, &whole, rules.Find("rkv01"))
	require.Same(t, &whole, rules.Find("Pool-In-Tx"))
	require.Nil(t, rules.Find("RKV99"))
	_, err = finding.Join(finding.Rules{&whole, &same})
	require.ErrorContains(t, err, "declared twice")
	_, err = finding.Join(finding.Rules{&part})
	require.ErrorContains(t, err, "incomplete")
}

func TestReachedCountsWhatWasNotLeftOutOnRequest(t *testing.T) {
	t.Parallel()
	var c finding.Coverage
	require.Zero(t, c.Reached())
	c.Reach("a")
	c.Skip("b", "no access")
	require.InDelta(t, 0.5, c.Reached(), 0)
	c.Subjects = append(c.Subjects, finding.Subject{Name: "c", Skipped: "ignored", Ignored: true})
	require.InDelta(t, 0.5, c.Reached(), 0)
}

func TestBaseline(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "baseline.json")
	all := func(string) bool { return true }
	vet := func(rule string) bool { return rule == "RKV01" }

	empty, err := finding.ReadBaseline(name)
	require.NoError(t, err)
	first := empty.Update([]finding.Finding{at("RKV01", "f", 1), at("RKV01", "f", 2), at("RKA08", "t", 1)}, all)
	require.Len(t, first.Known, 2)
	require.NoError(t, first.Write(name))
	read, err := finding.ReadBaseline(name)
	require.NoError(t, err)
	require.Equal(t, first, read)

	fresh, known, stale := read.Split([]finding.Finding{at("RKV01", "f", 50), at("RKV01", "g", 1)}, vet)
	require.Equal(t, []finding.Finding{at("RKV01", "g", 1)}, fresh)
	require.Equal(t, 1, known)
	require.Empty(t, stale, "RKA08 was not judged")
	_, _, stale = read.Split(nil, all)
	require.Len(t, stale, 2)

	next := read.Update(nil, vet)
	require.Len(t, next.Known, 1)
	require.Equal(t, "RKA08", next.Known[0].Rule)
}

func TestBaselineOfAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "baseline.json")
	require.NoError(t, (&finding.Baseline{Version: 9}).Write(name))
	_, err := finding.ReadBaseline(name)
	require.ErrorContains(t, err, "version 9")
}
