package outcome

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The table in docs/outcomes.md has the rules in their order.
func TestDocsMirrorTheRules(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "outcomes.md"))
	require.NoError(t, err)
	var rows [][]string
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | "); len(cells) == 4 {
			rows = append(rows, cells)
		}
	}
	rows = rows[1:] // the header
	runs := map[Again]string{Never: "no", Always: "yes", WhenLost: "up to 3 times", WithoutPlan: "up to 8 times"}
	require.Len(t, rows, len(rules))
	for i, r := range rules {
		require.Equal(t, r.name, strings.TrimSpace(rows[i][0]))
		require.Equal(t, r.outcome.String(), strings.TrimSpace(rows[i][2]), r.name)
		require.Equal(t, runs[r.again], strings.TrimSpace(rows[i][3]), r.name)
	}
}
