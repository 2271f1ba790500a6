package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
)

// joinMutants returns texts in which a join keeps rows that fail its condition
// about the owner.
func joinMutants(w *world, st statement, out map[string]string) {
	shared := func(behind string) bool {
		return slices.ContainsFunc(w.tables, func(m *prove.Table) bool {
			name := pgx.Identifier{m.Name}
			if m.Schema != "" {
				name = pgx.Identifier{m.Schema, m.Name}
			}
			return m.Shared && strings.HasPrefix(behind, name.Sanitize()+" as _")
		})
	}
	all := regexp.MustCompile(` (left )?join `).FindAllStringIndex(st.sql, -1)
	if len(all) == 0 {
		return
	}
	// The last one, because a join behind it could keep its rows.
	if at := all[len(all)-1]; !shared(st.sql[at[1]:]) {
		out["right join"+strconv.Itoa(len(out))] = st.sql[:at[0]] + " right join " + st.sql[at[1]:]
		out["full join"+strconv.Itoa(len(out))] = st.sql[:at[0]] + " full join " + st.sql[at[1]:]
	}
}

// requireClaimed fails if a statement is proven without the exceptions in its
// claim: the hidden columns that a view reveals, and the columns that a patch may
// change.
func requireClaimed(t *testing.T, op *operation, st statement) {
	t.Helper()
	claim := op.claim
	claim.Reveal = nil
	if op.kind == "patch" && strings.HasPrefix(st.sql, "update ") {
		claim.Assign = []string{}
	} else if op.claim.Reveal == nil || strings.HasPrefix(st.sql, "select exists (") || strings.HasPrefix(st.sql, "select count(*) from ") ||
		slices.Contains([]string{"view sum", "view min", "view max", "view avg"}, op.kind) {
		return
	}
	_, err := prove.Statement(st.sql, st.args, &claim)
	require.Error(t, err, "%s is proven of anything:\n%s", op.kind, st.sql)
}
