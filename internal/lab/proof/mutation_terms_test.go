package main

import (
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
)

// termNames are the kinds of mutants besides those of the owner.
var termNames = []string{"version", "reference", "hidden", "granted link", "granted role"}

// termMutants returns texts in which another term is weakened. All parameters stay,
// so that only the term is missing.
func termMutants(st statement, op *operation) map[string]string {
	out := map[string]string{}
	c := &op.claim
	write := regexp.MustCompile(`^(with _w as \()?(update|delete|insert) `).MatchString(st.sql)
	begin := max(strings.Index(st.sql, " where "), 0)
	// compared replaces a comparison of the column with a parameter: the last
	// one, or the first one behind a text.
	compared := func(name, column, behind string) {
		begin := begin
		if behind != "" {
			begin = strings.Index(st.sql, behind)
		}
		term := regexp.MustCompile(`(?:_[0-9p]+\.)?` + regexp.QuoteMeta(pgx.Identifier{column}.Sanitize()) + ` = (\$\d+)\b`)
		if all := term.FindAllStringSubmatchIndex(st.sql[begin:], -1); all != nil {
			at := all[len(all)-1]
			if behind != "" {
				at = all[0]
			}
			param := st.sql[begin+at[2] : begin+at[3]]
			out[name] = st.sql[:begin+at[0]] + param + " = " + param + st.sql[begin+at[1]:]
		}
	}
	if write && c.At != nil {
		compared("version", c.Table.Version, "")
	}
	switch op.kind {
	case "insert", "queue insert", "upsert", "update", "queue update", "transfer":
		// Each EXISTS belongs to a reference or to the parent.
		if sql, ok := loosened(st.sql, "exists (", begin); write && ok {
			out["reference"] = sql
		}
	}
	for _, column := range c.Table.Columns {
		quoted := pgx.Identifier{column.Name}.Sanitize()
		if column.Hidden {
			if strings.HasPrefix(st.sql, `select "`) {
				out["hidden"] = "select " + quoted + ", " + strings.TrimPrefix(st.sql, "select ")
			} else if strings.Contains(st.sql, ` returning "`) {
				out["hidden"] = strings.Replace(st.sql, ` returning "`, ` returning `+quoted+`, "`, 1)
			}
		}
	}
	if c.Granted != nil && c.Verb == prove.Read {
		if sql, ok := loosened(st.sql, " or exists (", begin); ok {
			out["granted link"] = sql
		}
		// A random condition may demand the same, which is no escape.
		if len(c.Granted.Where) > 0 && strings.Count(st.sql, pgx.Identifier{c.Granted.Where[0].Column}.Sanitize()+" = $") == 1 {
			compared("granted role", c.Granted.Where[0].Column, " or exists (")
		}
	}
	return out
}

// loosened replaces the first AND behind the start of an OR.
func loosened(sql, open string, begin int) (string, bool) {
	at := strings.Index(sql[begin:], open)
	if at < 0 {
		return "", false
	}
	at += begin + len(open)
	and := strings.Index(sql[at:], " and ")
	if and < 0 {
		return "", false
	}
	return sql[:at+and] + " or " + sql[at+and+len(" and "):], true
}
