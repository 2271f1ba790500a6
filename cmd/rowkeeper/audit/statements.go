package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
)

// The statements of remedies. Names are quoted only if they must be, for readers.

// objectName joins the parts to the name of an index or a constraint. PostgreSQL cuts
// names after 63 bytes, so a long one ends in a hash.
func objectName(parts ...string) string {
	name := strings.Join(parts, "_")
	if len(name) <= 63 {
		return catalog.Quote(name)
	}
	sum := sha256.Sum256([]byte(name))
	return catalog.Quote(strings.ToValidUTF8(name[:54], "") + "_" + hex.EncodeToString(sum[:4]))
}

func nameOf(t *catalog.Table, columns []string, kind string) string {
	return objectName(append(append([]string{t.Name}, columns...), kind)...)
}

// createIndex returns CREATE INDEX, which lets others write meanwhile where it can.
func (p *pass) createIndex(t *catalog.Table, unique bool, columns ...string) string {
	sql, kind := "create index ", "idx"
	if unique {
		sql, kind = "create unique index ", "key"
	}
	if !p.Cockroach() && !t.Partitioned() {
		sql += "concurrently "
	}
	return sql + nameOf(t, columns, kind) + " on " + name(t) + " (" + catalog.QuoteAll(columns) + ")"
}

func alter(t *catalog.Table, action string) string { return "alter table " + name(t) + " " + action }

// addConstraint returns the statements that add a constraint without holding a lock while
// the rows are checked.
func (p *pass) addConstraint(t *catalog.Table, constraint, definition string) []string {
	if t.Partitioned() && strings.HasPrefix(definition, "foreign key") { // PostgreSQL before 18 refuses NOT VALID
		return []string{alter(t, "add constraint "+constraint+" "+definition)}
	}
	return []string{
		alter(t, "add constraint "+constraint+" "+definition+" not valid"),
		alter(t, "validate constraint "+constraint),
	}
}

func (p *pass) addForeignKey(t *catalog.Table, columns []string, to *catalog.Table, toColumns []string) []string {
	return p.addConstraint(t, nameOf(t, columns, "fkey"), "foreign key ("+catalog.QuoteAll(columns)+") references "+
		name(to)+" ("+catalog.QuoteAll(toColumns)+")")
}

// alterType returns the statements that change the type of a column.
func (p *pass) alterType(t *catalog.Table, column, typ, using string) []string {
	sql := alter(t, "alter column "+catalog.Quote(column)+" type "+typ)
	if !p.Cockroach() {
		if using != "" {
			sql += " using " + using
		}
		return []string{sql}
	}
	return []string{"set enable_experimental_alter_column_type_general = true", sql}
}

// names joins names for a sentence.
func names(list []string) string {
	const shown = 8
	if len(list) > shown {
		list = append(append([]string{}, list[:shown]...), "…")
	}
	return strings.Join(list, ", ")
}
