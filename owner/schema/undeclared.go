package schema

import (
	"slices"
	"strings"
)

// undeclaredComment, in the comment on a table that looks owned, says that the table is not
// used with this package.
const undeclaredComment = "rowkeeper: undeclared"

// sharedComment, in the comment on a table that looks owned, says that it is shared.
const sharedComment = "rowkeeper: shared"

// ownedBy is a column that holds the owner in a declared table.
type ownedBy struct {
	column *liveColumn
	by     *table
}

// checkUndeclared finds tables with the owner's column that are not declared, and so
// are read by hand. Those that are declared as shared are worse.
func (v *verification) checkUndeclared() {
	var owners []ownedBy
	var known []*liveTable
	var schemas []string
	for _, t := range v.declared() {
		l := v.live.find(t)
		if l == nil {
			continue
		}
		known = append(append(known, l), v.live.Children(l)...)
		if !slices.Contains(schemas, l.Schema) {
			schemas = append(schemas, l.Schema)
		}
		if len(t.Key) == 0 {
			continue // a table of the owners themselves, whose column may have a common name such as id
		}
		for _, c := range t.Owners {
			if lc := l.Column(c.Name); lc != nil {
				owners = append(owners, ownedBy{lc, t})
			}
		}
	}
	v.checkShared(owners)
	for _, l := range v.live.Tables {
		if l.IsView() || len(l.Parents) > 0 || slices.Contains(known, l) || !slices.Contains(schemas, l.Schema) || strings.Contains(l.Comment, undeclaredComment) {
			continue
		}
		for _, o := range owners {
			c := l.Column(o.column.Name)
			if c == nil || c.Type != o.column.Type {
				continue
			}
			quoted, plain := v.live.nameOf(l)
			comment := strings.TrimSpace(l.Comment + " " + undeclaredComment)
			v.report(Exposed, plain, c.Name, []string{"comment on table " + quoted + " is " + quoteLiteral(comment) + ";"},
				"it has the owner's column of %s, but is not declared, so nothing keeps its rows apart; declare it, or say in its comment that it is on purpose", o.by.Name)
			break
		}
	}
}

// checkShared finds the owner's column in shared tables, and tables that are declared
// both ways.
func (v *verification) checkShared(owners []ownedBy) {
	for _, t := range v.declared() {
		l := v.live.find(t)
		if !t.Shared || l == nil || strings.Contains(l.Comment, sharedComment) {
			continue
		}
		kind := "table"
		switch l.Kind {
		case "v":
			kind = "view"
		case "m":
			kind = "materialized view"
		}
		comment := strings.TrimSpace(l.Comment + " " + sharedComment)
		sql := []string{"comment on " + kind + " " + t.Quoted + " is " + quoteLiteral(comment) + ";"}
		if v.live.Cockroach && l.IsView() {
			sql = nil // CockroachDB has no comments on views
		}
		for _, other := range v.declared() {
			if !other.Shared && v.live.find(other) == l {
				v.report(Exposed, t.Name, t.BaseName(), sql,
					"it is declared as a SharedTable and also with owners, so whoever uses the first reads the rows of all; drop one, or say in its comment that everybody may")
			}
		}
		for _, o := range owners {
			if c := l.Column(o.column.Name); c != nil && c.Type == o.column.Type && v.live.find(o.by) != l {
				v.report(Exposed, t.Name, c.Name, sql,
					"it has the owner's column of %s, but is declared as a SharedTable, so everybody reads the rows of all; declare it with MustTable, or say in its comment that everybody may", o.by.Name)
				break
			}
		}
	}
}

// quoteLiteral quotes text so that it is read the same with any setting of
// standard_conforming_strings.
func quoteLiteral(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
