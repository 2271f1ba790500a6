package owner

import (
	"slices"
	"strings"
)

// undeclared is what a comment says of a table that looks owned and is none of
// this package's business.
const undeclared = "rowkeeper: undeclared"

// checkUndeclared looks for tables with the owner's column that nobody declared:
// whoever reads them does it by hand.
func (v *verification) checkUndeclared() {
	type owned struct {
		column *liveColumn
		by     *table
	}
	var owners []owned
	var known []*liveTable
	var schemas []string
	for _, t := range v.declared() {
		l := v.live.find(t)
		if l == nil {
			continue
		}
		known = append(append(known, l), v.live.children(l)...)
		if !slices.Contains(schemas, l.Schema) {
			schemas = append(schemas, l.Schema)
		}
		if len(t.key) == 0 {
			continue // a table of the owners themselves: its column may be called id, like many
		}
		for _, c := range t.owners {
			if lc := l.column(c.name); lc != nil {
				owners = append(owners, owned{lc, t})
			}
		}
	}
	for _, l := range v.live.tables {
		if l.view() || l.Parent != 0 || slices.Contains(known, l) || !slices.Contains(schemas, l.Schema) || strings.Contains(l.Comment, undeclared) {
			continue
		}
		for _, o := range owners {
			c := l.column(o.column.Name)
			if c == nil || c.Type != o.column.Type {
				continue
			}
			quoted, plain := v.live.called(l)
			comment := strings.TrimSpace(l.Comment + " " + undeclared)
			v.say(Exposed, plain, c.Name, []string{"comment on table " + quoted + " is " + quoteLiteral(comment) + ";"},
				"it has the owner's column of %s, but is not declared, so nothing keeps its rows apart; declare it, or say in its comment that it is on purpose", o.by.name)
			break
		}
	}
}

// quoteLiteral quotes text so that it is read the same whatever
// standard_conforming_strings is.
func quoteLiteral(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
