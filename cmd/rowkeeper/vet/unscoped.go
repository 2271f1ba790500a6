package vet

import (
	"regexp"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/sqlshape"
)

var rule09 = &finding.Rule{
	ID: "RKV09", Name: "unscoped", Severity: finding.High, CWE: []int{566}, API: "API1", PCI: finding.PCIAccess,
	Title: "A statement picks rows of an owned table without a condition on the owner",
	Why:   "With the id of another user's row, a caller reads or changes it.",
	Fix:   "Add and user_id = $n.",
	Silent: "For tables that neither the configuration nor an export of audit declares as owned, joins to an owned parent with its owner, and " +
		"statements with a comment \"-- rowkeeper:all-owners reason\". Look-ups by a credential and work on whole tables are suspected only.",
	Bad:       "select * from accounts where id = $1",
	Good:      "select * from accounts where id = $1 and user_id = $2",
	Rowkeeper: "accounts.In(me)",
}

func unscoped(u *unit) {
	if len(u.settings.owned) == 0 {
		return
	}
	for _, fn := range u.Funcs {
		for _, call := range u.Calls[fn] {
			if !call.Const || call.Via != nil || !call.Kind.Runs() {
				continue
			}
			s := sqlshape.Parse(call.SQL)
			if !s.Known || s.Verb == "" || s.AllOwners != "" {
				continue
			}
			if s.Verb == "insert" {
				if missing := insertWithoutOwner(u, s); missing != "" {
					u.report(call.Instr, "the INSERT into "+s.Target.Name+" does not set "+missing, statement(call.SQL))
				}
				continue
			}
			if table := unscopedTable(u, s); table != "" {
				var extras []extra
				if byCredential(s) || !byKey(s) {
					extras = append(extras, suspected())
				}
				message := "the " + strings.ToUpper(s.Verb) + " picks rows of " + table + " without a condition on " + ownerName(u, table)
				u.report(call.Instr, message, append(extras, statement(call.SQL))...)
			}
		}
	}
}

func ownerName(u *unit, table string) string {
	if owner := u.settings.owned[table].owner; len(owner) > 0 {
		return strings.Join(owner, " and ")
	}
	return "its owner"
}

func insertWithoutOwner(u *unit, s sqlshape.Statement) string {
	if len(s.Columns) == 0 {
		return ""
	}
	for _, column := range u.settings.owned[s.Target.Name].owner {
		if !slices.Contains(s.Columns, column) {
			return column
		}
	}
	return ""
}

// unscopedTable returns an owned table of the statement that no condition ties to an
// owner, or "".
func unscopedTable(u *unit, s sqlshape.Statement) string {
	scoped := make([]bool, len(s.Tables))
	for range s.Tables { // a join passes the owner on
		for i, t := range s.Tables {
			scoped[i] = scoped[i] || hasOwner(u, s, t) || joined(s, t, scoped)
		}
	}
	for i, t := range s.Tables {
		if _, owned := u.settings.owned[t.Name]; owned && !scoped[i] {
			return t.Name
		}
	}
	return ""
}

// hasOwner reports whether a condition compares an owner column of the table, or mentions
// one where it is not understood.
func hasOwner(u *unit, s sqlshape.Statement, t sqlshape.Table) bool {
	table := u.settings.owned[t.Name]
	for _, c := range s.Where {
		for _, owner := range table.owner {
			if (c.Op == "=" || c.Op == "in") && c.Left.Name == owner && of(c.Left, t, s) && c.Right.Kind != sqlshape.OfColumn {
				return true
			}
			if c.Op == "" && len(c.Text) > 0 && sqlshape.Mentions(c.Text, owner) {
				return true
			}
		}
		for _, parent := range table.parents { // account_id in (select id from accounts where user_id = $1)
			for _, owner := range u.settings.owned[parent].owner {
				if (c.Op == "" || c.Op == "in") && sqlshape.Mentions(c.Text, parent) && sqlshape.Mentions(c.Text, owner) {
					return true
				}
			}
		}
	}
	return false
}

func of(c sqlshape.Column, t sqlshape.Table, s sqlshape.Statement) bool {
	return c.Table == "" || t.Called(c.Table)
}

// joined reports whether an equation ties the table to one that is scoped.
func joined(s sqlshape.Statement, t sqlshape.Table, scoped []bool) bool {
	for _, c := range s.Where {
		if c.Op != "=" || c.Right.Kind != sqlshape.OfColumn {
			continue
		}
		for i, other := range s.Tables {
			if !scoped[i] || other == t {
				continue
			}
			if t.Called(c.Left.Table) && other.Called(c.Right.Column.Table) || t.Called(c.Right.Column.Table) && other.Called(c.Left.Table) {
				return true
			}
		}
	}
	return false
}

var credential = regexp.MustCompile(`token|secret|password|passwd|api_?key|session|email|username|login|nonce|digest|hash|code`)

// byCredential reports whether the rows are found by something that only the owner knows.
func byCredential(s sqlshape.Statement) bool {
	return slices.ContainsFunc(s.Where, func(c sqlshape.Condition) bool {
		return c.Op == "=" && credential.MatchString(c.Left.Name)
	})
}

// byKey reports whether a parameter picks a row.
func byKey(s sqlshape.Statement) bool {
	return slices.ContainsFunc(s.Where, func(c sqlshape.Condition) bool {
		return (c.Op == "=" || c.Op == "in") && isKey(c.Left.Name) && (c.Right.Kind == sqlshape.Parameter || len(sqlshape.Params(c.Text)) > 0)
	})
}
