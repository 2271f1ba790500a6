package main

import (
	"context"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/proof/prove"
)

// A statement from which one term about the owner is taken, or in which one is
// weakened, is not proven: each term of each statement of each kind.
func TestMutationsAreFound(t *testing.T) {
	t.Parallel()
	s := seeded(3, 3)
	found := map[string]map[string]int{}
	var w *world
	n, least := 6000, 50
	if testing.Short() {
		n, least = 1000, 5
	}
	for i := range n {
		if i%perWorld == 0 {
			var err error
			w, err = newWorld(s.declarable)
			require.NoError(t, err)
		}
		op := pick(s, w.ops...)(s, pick(s, w.actors...))
		if op.misuse {
			continue
		}
		rec := &recorder{}
		_ = op.run(context.Background(), rec)
		for _, st := range rec.sent {
			g, err := prove.Statement(st.sql, st.args, &op.claim)
			require.NoError(t, err)
			all := mutants(w, st, &op.claim)
			maps.Copy(all, termMutants(st, op))
			for name, sql := range all {
				g, err = prove.Statement(sql, st.args, &op.claim)
				require.NoError(t, g.PostgreSQL, "%s: %s", name, sql)
				require.NoError(t, g.CockroachDB, "%s: %s", name, sql)
				require.Error(t, err, "%s in %s passes:\n%s\n%s", name, op.kind, st.sql, sql)
				if found[op.kind] == nil {
					found[op.kind] = map[string]int{}
				}
				found[op.kind][strings.TrimRight(name, "0123456789")]++
			}
		}
	}
	for _, kind := range []string{"get", "one", "all", "count", "exists", "update", "update where", "delete", "delete where",
		"upsert", "insert", "insert many", "transfer", "granted all", "granted view", "queue insert", "queue update", "queue delete"} {
		sum := 0
		for _, m := range found[kind] {
			sum += m
		}
		require.Greater(t, sum, least, "mutants of %s", kind)
		t.Logf("%s: %v", kind, found[kind])
	}
	for _, name := range termNames {
		sum := 0
		for _, m := range found {
			sum += m[name]
		}
		require.Greater(t, sum, least/2, "mutants of %s", name)
		t.Logf("%s: %d", name, sum)
	}
	require.Greater(t, found["upsert"]["conflict"], least/2)
	require.Greater(t, found["insert"]["inserted"], least/2)
}

// mutants are texts that let rows of others through, by what was done.
func mutants(w *world, st statement, c *prove.Claim) map[string]string {
	out := map[string]string{}
	seen := map[string]bool{}
	for _, m := range w.tables {
		for _, column := range m.Owners {
			quoted := pgx.Identifier{column}.Sanitize()
			if seen[quoted] {
				continue
			}
			seen[quoted] = true
			term := regexp.MustCompile(`(?:(?:_[0-9p]+|"(?:[^"]|"")*")\.)?` + regexp.QuoteMeta(quoted) + ` = \$(\d+)\b`)
			begin, _ := 0, 0
			if at := strings.Index(st.sql, " where "); at > 0 {
				begin = at // an assignment of the owner is no condition
			}
			for i, at := range term.FindAllStringSubmatchIndex(st.sql[begin:], -1) {
				param := st.sql[begin+at[2] : begin+at[3]]
				if n, _ := strconv.Atoi(param); n > len(c.Owner)+len(c.Receiver) {
					continue // a condition on the column that the caller chose
				}
				text := st.sql[begin+at[0] : begin+at[1]]
				put := func(name, term string) {
					out[name+strconv.Itoa(len(out)+i)] = st.sql[:begin+at[0]] + term + st.sql[begin+at[1]:]
				}
				put("dropped", "$"+param+" = $"+param)
				put("or true", "("+text+" or true)")
				put("other way", strings.Replace(text, " = ", " <> ", 1))
				if _, behind, ok := strings.Cut(st.sql, " on conflict "); ok && strings.Contains(behind, text) && begin+at[0] > len(st.sql)-len(behind) {
					put("conflict", "$"+param+" = $"+param)
				}
			}
		}
	}
	if len(st.args) > 1 && strings.HasPrefix(strings.TrimPrefix(st.sql, "with _w as ("), "insert into") && len(c.Table.Owners) > 0 {
		for _, open := range []string{") values ($1, ", ") select $1, "} {
			if i := strings.Index(st.sql, open); i > 0 {
				out["inserted"] = st.sql[:i] + strings.Replace(open, "$1", "$"+strconv.Itoa(len(st.args)), 1) + st.sql[i+len(open):]
			}
		}
	}
	return out
}
