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

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
)

// A statement is not proven after one term about the owner is removed or weakened:
// each term of each statement of each kind.
func TestMutationsAreFound(t *testing.T) {
	t.Parallel()
	s := seeded(3, 3)
	found := map[string]map[string]int{}
	var w *world
	n, least := 12000, 50
	if testing.Short() {
		n, least = 2000, 5
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
			requireClaimed(t, op, st)
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
		"upsert", "insert", "insert many", "transfer", "granted all", "granted view", "queue insert", "queue update", "queue delete",
		"page", "pages", "rows", "sum", "min", "max", "avg", "patch", "view all", "view one", "view count", "view exists",
		"view page", "view pages", "view rows", "view sum", "view min", "view max", "view avg"} {
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
	guards := 0
	for name, n := range found["insert many"] {
		if strings.HasPrefix(name, "guard ") {
			guards++
			require.Greater(t, n, least/10, name)
		}
	}
	require.Equal(t, 15, guards, "kinds of mutants of the guard")
	require.Greater(t, found["insert"]["inserted"], least/2)
	for _, kind := range []string{"view page", "view pages", "view rows"} {
		require.Greater(t, found[kind]["right join"], least/5, kind)
		require.Greater(t, found[kind]["or before"], least/5, kind)
		require.Greater(t, found[kind]["or behind"], least/5, kind)
	}
}

// mutants returns texts that let rows of others through, by the kind of mutation.
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
			if at := strings.Index(st.sql, " where "); at > 0 && c.Verb != prove.Read {
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
				if before, ok := strings.CutSuffix(st.sql[:begin+at[0]], " and "); ok {
					out["or before"+strconv.Itoa(len(out))] = before + " or " + st.sql[begin+at[0]:]
				}
				if behind, ok := strings.CutPrefix(st.sql[begin+at[1]:], " and "); ok {
					out["or behind"+strconv.Itoa(len(out))] = st.sql[:begin+at[1]] + " or " + behind
				}
				put("other way", strings.Replace(text, " = ", " <> ", 1))
				if _, behind, ok := strings.Cut(st.sql, " on conflict "); ok && strings.Contains(behind, text) && begin+at[0] > len(st.sql)-len(behind) {
					put("conflict", "$"+param+" = $"+param)
				}
			}
		}
	}
	if len(st.args) > 1 && strings.HasPrefix(st.sql, "insert into") && len(c.Table.Owners) > 0 {
		for _, open := range []string{") values ($1, ", ") select $1, ", " = 0 then $1 else "} {
			if i := strings.Index(st.sql, open); i > 0 {
				out["inserted"] = st.sql[:i] + strings.Replace(open, "$1", "$"+strconv.Itoa(len(st.args)), 1) + st.sql[i+len(open):]
			}
		}
	}
	joinMutants(w, st, out)
	for name, sql := range withoutGuard(st.sql) {
		out[name] = sql
	}
	return out
}

var guard = regexp.MustCompile(`^(insert into .*?\) values \()case when (cast\(case when (exists .*) then 'rowkeeper references: ' else '0' end as bigint\)) = 0 then (\$\d+) else (\(select .*? where false\)) end((?:, (?:\$\d+|default|1))*)(\).*)$`)

// withoutGuard returns texts of an insert of many rows that do not check before the
// first one, or check wrongly, that all of them point at rows of the owner's.
func withoutGuard(sql string) map[string]string {
	m := guard.FindStringSubmatchIndex(sql)
	if m == nil {
		return nil
	}
	part := func(i int) string { return sql[m[2*i]:m[2*i+1]] }
	before, cast, notOwned, value, null, row, rest := part(1), part(2), part(3), part(4), part(5), part(6), part(7)
	with := func(cond, then, otherwise string) string {
		return before + "case when " + cond + " then " + then + " else " + otherwise + " end" + row + rest
	}
	out := map[string]string{
		"guard dropped":      before + "coalesce(" + value + ", case when " + notOwned + " then 1 else 0 end)" + row + rest,
		"guard by chance":    with("$1 = $1 or "+cast+" = 0", value, null),
		"guard other way":    with(strings.Replace(cast, "then 'rowkeeper references: ' else '0'", "then '0' else 'rowkeeper references: '", 1)+" = 0", value, null),
		"guard passes":       with(strings.Replace(cast, "'rowkeeper references: '", "'0'", 1)+" = 0", value, null),
		"guard swapped":      with(cast+" = 0", null, value),
		"guard is there":     with(strings.Replace(cast, "where not (exists", "where (exists", 1)+" = 0", value, null),
		"guard reads":        strings.Replace(sql, " where false)", " where true)", 1),
		"guard finds none":   with(strings.Replace(cast, "]) as ", "]) as \"other\", unnest(array[$1]) as ", 1)+" = 0", value, null),
		"guard and chance":   with(strings.Replace(cast, "case when exists", "case when $1 <> $1 and exists", 1)+" = 0", value, null),
		"guard of no rows":   with(strings.Replace(cast, " where not (", " where $1 <> $1 and not (", 1)+" = 0", value, null),
		"guard of few rows":  with(strings.Replace(cast, ")) then 'rowkeeper", ") limit 0) then 'rowkeeper", 1)+" = 0", value, null),
		"guard of other key": with(strings.Replace(cast, "where false), ", "where false), $1), coalesce(", 1)+" = 0", value, null),
		"guard of aggregate": with(strings.Replace(cast, "case when exists (select 1 from", "case when exists (select count(*) from", 1)+" = 0", value, null),
	}
	if second := regexp.MustCompile(`^\), \((\$\d+)`).FindStringSubmatch(rest); second != nil {
		out["guard later"] = before + value + row + "), (case when " + cast + " = 0 then " + second[1] + " else " + null + " end" + rest[len(second[0]):]
	}
	if both := strings.Replace(cast, ") or exists (", ") and exists (", 1); both != cast {
		out["guard of both"] = with(both+" = 0", value, null)
	}
	return out
}
