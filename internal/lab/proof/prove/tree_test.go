package prove

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// An unprintable character in a name is written as an escape; only one grammar
// would compose a mark behind it with a letter of the escape.
func TestNamesAreComposedByThemselves(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"\x1a\u0301", "\u0301", "e\u0301", "\u00e9", "a\u1dfb\u0301"} {
		table := &Table{Name: name, Columns: []Column{{Name: "id"}, {Name: "owner"}}, Owners: []string{"owner"}, Key: []string{"id"}}
		claim := &Claim{Tables: []*Table{table}, Table: table, Verb: Read, Owner: []any{int64(1)}}
		g, err := Statement(`select "id" from "`+name+`" where "owner" = $1`, []any{int64(1)}, claim)
		require.NoError(t, err)
		require.NoError(t, g.PostgreSQL)
		require.NoError(t, g.CockroachDB)
	}
}
