package livedb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/livedb"
)

func TestFindingString(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]livedb.Finding{
		"exposed: t: n: it is open\n\tsql  a;\n\t     b;": {Severity: livedb.Exposed, Table: "t", Name: "n", Problem: "it is open", SQL: "a;\nb;"},
		"broken: app: it is odd":                          {Severity: livedb.Broken, Name: "app", Problem: "it is odd"},
		"shared name: a, b: n: they share it\n\tdrop x\n\tadd  y,\n\t     z,": {
			Kind: livedb.SharedName, Table: "a, b", Name: "n", Problem: "they share it", Drop: "x", Add: "y,\nz,"},
		"stale rule: n: gone": {Kind: livedb.StaleRule, Name: "n", Problem: "gone"},
	} {
		require.Equal(t, want, f.String())
	}
	require.Equal(t, "advice", livedb.Advice.String())
	require.Equal(t, "no severity", livedb.Severity(0).String())
	require.Equal(t, "wrong rule", livedb.WrongRule.String())
	require.Equal(t, "missing rule", livedb.MissingRule.String())
	require.Equal(t, "FindingKind(9)", livedb.FindingKind(9).String())
}
