package schema

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/livedb"
	"github.com/rowkeeper/rowkeeper/owner"
)

// liveSchema is the schema in the database.
type liveSchema struct{ *livedb.Schema }

func readLive(ctx context.Context, db owner.DB, subjects []subject) (*liveSchema, error) {
	var others []string
	for _, t := range declaredBy(subjects) {
		if schema, _, ok := strings.Cut(t.Name, "."); ok {
			others = append(others, schema)
		}
	}
	read, err := livedb.Read(ctx, db, others...)
	if err != nil {
		return nil, err
	}
	return &liveSchema{read}, read.ReadRowSecurity(ctx, db)
}

// find returns the table that a statement with the declaration's name refers to, or
// nil.
func (l *liveSchema) find(t *table) *liveTable {
	if schema, name, ok := strings.Cut(t.Name, "."); ok {
		return l.Find(name, schema)
	}
	return l.Find(t.Name, l.SearchPath...)
}

// nameOf returns the table's name for SQL and for a finding.
func (l *liveSchema) nameOf(t *liveTable) (quoted, plain string) {
	if len(l.SearchPath) > 0 && l.SearchPath[0] == t.Schema {
		return pgx.Identifier{t.Name}.Sanitize(), t.Name
	}
	return pgx.Identifier{t.Schema, t.Name}.Sanitize(), t.Schema + "." + t.Name
}

// unique returns an index that makes exactly these columns unique, checked at once,
// for an upsert or a foreign key.
func unique(t *liveTable, columns []string) *livedb.Index {
	for _, i := range t.Indexes {
		if enforcedForAll(i) && !i.Exclusion && len(i.Columns) == len(columns) && subset(i.Columns, columns) {
			return i
		}
	}
	return nil
}

// enforcedForAll reports whether the index is unique over all rows and checked at once.
func enforcedForAll(i *livedb.Index) bool { return i.Unique && !i.Partial && i.Valid && !i.Deferrable }

// subset reports whether all of a are in b.
func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}

func names(columns []*column) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Name
	}
	return out
}

func quotedList(columns []string) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = pgx.Identifier{c}.Sanitize()
	}
	return strings.Join(out, ", ")
}
