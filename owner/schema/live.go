package schema

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rowkeeper/rowkeeper/owner"
)

// liveSchema is the schema in the database.
type liveSchema struct {
	cockroach   bool
	version     string
	searched    []string // the search_path
	user, login string
	roles       []liveRole
	views       []liveView
	tables      []*liveTable
	byID        map[int64]*liveTable
	types       *pgtype.Map // of the connection, or nil if it is not known
}

type liveTable struct {
	ID, Parent                int64
	Schema, Name, Kind        string
	RowSecurity, Forced       bool
	Owned, Truncates, Invoker bool // what the role of the connection can do; of a view, whether it asks that role
	Comment                   string

	columns     []*liveColumn
	indexes     []*liveIndex
	foreignKeys []*liveForeignKey
	policies    []*livePolicy
}

type liveColumn struct {
	Table               int64
	Name                string
	Type                int64 // the base type of a domain
	TypeName            string
	NotNull, HasDefault bool
	Identity            string
	Generated           bool
	Virtual             bool   // generated when it is read
	NotValid            bool   // NOT NULL holds for new rows only
	Default             string // an SQL expression
}

type liveIndex struct {
	Table                         int64
	Name                          string
	Columns                       []string // "" stands for an expression
	Unique, Primary, Partial, Now bool     // Now: valid and checked at once
	Constraint                    string
	Exclusion                     bool // WITHOUT OVERLAPS, which no upsert can use
	Deferrable                    bool
}

type liveForeignKey struct {
	Table, Referenced int64
	Name              string
	Columns, To       []string
	Validated         bool
	Enforced          bool
}

type livePolicy struct {
	Table              int64
	Name, Command      string
	Permissive, ForAll bool
	Using, Check       string
}

type liveRole struct {
	Name          string
	Super, Bypass bool
}

// liveView is a view that reads a table.
type liveView struct {
	View, Of        int64
	Bypasses, Reads bool // policies do not hold for its owner; the role can read it
}

func readLive(ctx context.Context, db owner.DB, subjects []subject) (*liveSchema, error) {
	type about struct {
		Version     string
		Searched    []string
		User, Login string
	}
	rows, err := db.Query(ctx, sqlAbout)
	if err != nil {
		return nil, err
	}
	var known *pgtype.Map
	if conn := rows.Conn(); conn != nil {
		known = conn.TypeMap().Copy() // before others can use the connection
	}
	abouts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[about])
	if err != nil {
		return nil, err
	}
	if len(abouts) != 1 {
		return nil, fmt.Errorf("the server said %d times what it is", len(abouts))
	}
	a := abouts[0]
	l := &liveSchema{
		cockroach: strings.Contains(a.Version, "CockroachDB"), version: a.Version,
		searched: a.Searched, user: a.User, login: a.Login, byID: map[int64]*liveTable{}, types: known,
	}
	schemas := slices.Clone(a.Searched)
	for _, t := range declaredBy(subjects) {
		if schema, _, ok := strings.Cut(t.Name, "."); ok && !slices.Contains(schemas, schema) {
			schemas = append(schemas, schema)
		}
	}
	tables, columns, indexes, foreignKeys := sqlPostgresTables, sqlPostgresColumns, sqlPostgresIndexes, sqlPostgresForeignKeys
	if l.cockroach {
		tables, columns, indexes, foreignKeys = sqlCockroachTables, sqlCockroachColumns, sqlCockroachIndexes, sqlCockroachForeignKeys
	}
	var ids []int64
	if err := read(ctx, db, tables, schemas, func(t *liveTable) {
		l.tables, ids, l.byID[t.ID] = append(l.tables, t), append(ids, t.ID), t
	}); err != nil {
		return nil, err
	}
	if err := read(ctx, db, columns, ids, func(c *liveColumn) {
		l.byID[c.Table].columns = append(l.byID[c.Table].columns, c)
	}); err != nil {
		return nil, err
	}
	if err := read(ctx, db, indexes, ids, func(i *liveIndex) {
		l.byID[i.Table].indexes = append(l.byID[i.Table].indexes, i)
	}); err != nil {
		return nil, err
	}
	if err := read(ctx, db, foreignKeys, ids, func(f *liveForeignKey) {
		l.byID[f.Table].foreignKeys = append(l.byID[f.Table].foreignKeys, f)
	}); err != nil || l.cockroach {
		return l, err
	}
	if err := read(ctx, db, sqlPolicies, ids, func(p *livePolicy) {
		l.byID[p.Table].policies = append(l.byID[p.Table].policies, p)
	}); err != nil {
		return nil, err
	}
	if l.views, err = catalog[liveView](ctx, db, sqlViews); err != nil {
		return nil, err
	}
	l.roles, err = catalog[liveRole](ctx, db, sqlRoles)
	return l, err
}

func read[T any](ctx context.Context, db owner.DB, sql string, of any, each func(*T)) error {
	rows, err := db.Query(ctx, sql, of)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[T])
	for _, row := range all {
		each(row)
	}
	return err
}

func catalog[T any](ctx context.Context, db owner.DB, sql string) ([]T, error) {
	rows, err := db.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// find returns the table that a statement with the declaration's name refers to, or
// nil.
func (l *liveSchema) find(t *table) *liveTable {
	schema, name, ok := strings.Cut(t.Name, ".")
	schemas := []string{schema}
	if !ok {
		schemas, name = l.searched, t.Name
	}
	for _, schema := range schemas {
		if i := slices.IndexFunc(l.tables, func(t *liveTable) bool { return t.Schema == schema && t.Name == name }); i >= 0 {
			return l.tables[i]
		}
	}
	return nil
}

// children returns the partitions of a table and the tables that inherit from it.
func (l *liveSchema) children(of *liveTable) (out []*liveTable) {
	for _, t := range l.tables {
		if t.Parent == of.ID {
			out = append(append(out, t), l.children(t)...)
		}
	}
	return out
}

// called returns the table's name for SQL and for a finding.
func (l *liveSchema) called(t *liveTable) (quoted, plain string) {
	if len(l.searched) > 0 && l.searched[0] == t.Schema {
		return pgx.Identifier{t.Name}.Sanitize(), t.Name
	}
	return pgx.Identifier{t.Schema, t.Name}.Sanitize(), t.Schema + "." + t.Name
}

func (t *liveTable) view() bool { return t.Kind == "v" || t.Kind == "m" }

func (t *liveTable) column(name string) *liveColumn {
	if i := slices.IndexFunc(t.columns, func(c *liveColumn) bool { return c.Name == name }); i >= 0 {
		return t.columns[i]
	}
	return nil
}

// unique returns an index that makes exactly these columns unique, checked at once,
// for an upsert or a foreign key.
func (t *liveTable) unique(columns []string) *liveIndex {
	for _, i := range t.indexes {
		if i.all() && !i.Exclusion && len(i.Columns) == len(columns) && subset(i.Columns, columns) {
			return i
		}
	}
	return nil
}

// all reports whether the index is unique over all rows and checked at once.
func (i *liveIndex) all() bool { return i.Unique && !i.Partial && i.Now }

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
