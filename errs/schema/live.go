package schema

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// liveConstraint is a constraint as the schema's author declared it: those of
// partitions and of inheriting tables belong to the one of their parent.
type liveConstraint struct {
	sort       sort
	table      string // of a domain's constraint, the domain
	name       string
	columns    []string // "" stands for an expression
	referenced string   // of a foreign key: the other table
	generated  bool     // a primary key that the server makes up
	signals    []signal
}

// signal is what a violation says of its constraint.
type signal struct {
	name           string
	table          string // "" if the server does not name it
	missing, inUse bool   // the sides of a foreign key that say it
}

type sort string

const (
	sortPrimary     sort = "p"
	sortUnique      sort = "u"
	sortUniqueIndex sort = "i"
	sortExclusion   sort = "x"
	sortCheck       sort = "c"
	sortDomain      sort = "d"
	sortForeignKey  sort = "f"
)

// The SQLSTATEs of violations.
const (
	stateUnique     = "23505"
	stateNotNull    = "23502"
	stateForeignKey = "23503"
	stateCheck      = "23514"
	stateExclusion  = "23P01"
)

func (s sort) String() string {
	return map[sort]string{
		sortPrimary:     "a primary key",
		sortUnique:      "a unique constraint",
		sortUniqueIndex: "a unique index",
		sortExclusion:   "an exclusion constraint",
		sortCheck:       "a check constraint",
		sortDomain:      "a check of a domain",
		sortForeignKey:  "a foreign key",
	}[s]
}

// sqlState returns the SQLSTATE of a violation.
func (s sort) sqlState() string {
	switch s {
	case sortExclusion:
		return stateExclusion
	case sortCheck, sortDomain:
		return stateCheck
	case sortForeignKey:
		return stateForeignKey
	}
	return stateUnique
}

// domainType is the type of a column if it is a domain.
type domainType struct {
	name    string
	notNull bool
}

// liveColumn is a column, and those of the same name in the partitions and
// inheriting tables of its table.
type liveColumn struct {
	table, column string
	members       []memberColumn
}

type memberColumn struct {
	table     string
	rows      bool // it has rows of its own, so the server may name it
	notNull   bool
	domain    domainType
	generated bool // from other columns
}

type liveSchema struct {
	cockroach   bool
	searched    []string
	constraints []*liveConstraint
	columns     []*liveColumn
}

func readSchema(ctx context.Context, db Querier) (*liveSchema, error) {
	type about struct {
		Version  string
		Searched []string
	}
	abouts, err := collect[about](ctx, db, sqlAbout)
	if err != nil {
		return nil, err
	}
	if len(abouts) != 1 {
		return nil, fmt.Errorf("the server said %d times what it is", len(abouts))
	}
	schema := &liveSchema{
		cockroach: strings.Contains(abouts[0].Version, "CockroachDB"),
		searched:  abouts[0].Searched,
	}
	if len(schema.searched) == 0 {
		return nil, fmt.Errorf("no schema of the search_path is there")
	}
	constraints, columns := sqlPostgresConstraints, sqlPostgresColumns
	if schema.cockroach {
		constraints, columns = sqlCockroachConstraints, sqlCockroachColumns
	}
	constraintRows, err := collect[constraintRow](ctx, db, constraints)
	if err != nil {
		return nil, err
	}
	columnRows, err := collect[columnRow](ctx, db, columns)
	if err != nil {
		return nil, err
	}
	schema.constraints = groupConstraints(constraintRows, schema.cockroach)
	schema.columns = groupColumns(columnRows)
	schema.constraints = slices.DeleteFunc(schema.constraints, func(l *liveConstraint) bool { return l.table == ledgerTable })
	schema.columns = slices.DeleteFunc(schema.columns, func(l *liveColumn) bool { return l.table == ledgerTable })
	return schema, nil
}

// ledgerTable is that of once.Schema. Package txn knows its violations, which
// never come here.
const ledgerTable = "rowkeeper_ledger"

func collect[T any](ctx context.Context, db Querier, sql string) ([]T, error) {
	rows, err := db.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

type constraintRow struct {
	ID, Parent     int64 // Parent is 0 if there is none
	Sort           sort
	Table, Name    string
	Columns        []string
	Referenced     string
	Generated      bool
	Rows           bool // a violation may name it
	Missing, InUse bool
}

func groupConstraints(rows []constraintRow, cockroach bool) (found []*liveConstraint) {
	byID := map[int64]constraintRow{}
	for _, r := range rows {
		byID[r.ID] = r
	}
	groups := map[int64]*liveConstraint{}
	for _, r := range rows {
		root := r
		for {
			parent, ok := byID[root.Parent]
			if !ok {
				break
			}
			root = parent
		}
		g := groups[root.ID]
		if g == nil {
			g = &liveConstraint{
				sort: root.Sort, table: root.Table, name: root.Name, columns: root.Columns,
				referenced: root.Referenced, generated: root.Generated,
			}
			groups[root.ID] = g
			found = append(found, g)
		}
		if !r.Rows {
			continue
		}
		s := signal{name: r.Name, table: r.Table, missing: r.Missing, inUse: r.InUse}
		if cockroach || r.Sort == sortDomain {
			s.table = ""
		}
		g.signals = append(g.signals, s)
	}
	return found
}

type columnRow struct {
	Table         int64
	Parent        int64
	TableName     string
	Column        string
	Rows, NotNull bool
	Domain        string // "" for other types
	DomainNotNull bool
	Generated     bool
}

func groupColumns(rows []columnRow) (found []*liveColumn) {
	type key struct {
		table  int64
		column string
	}
	byKey := map[key]columnRow{}
	for _, r := range rows {
		byKey[key{r.Table, r.Column}] = r
	}
	groups := map[key]*liveColumn{}
	for _, r := range rows {
		root := r
		for {
			parent, ok := byKey[key{root.Parent, root.Column}]
			if !ok {
				break
			}
			root = parent
		}
		k := key{root.Table, root.Column}
		if groups[k] == nil {
			groups[k] = &liveColumn{table: root.TableName, column: root.Column}
			found = append(found, groups[k])
		}
		groups[k].members = append(groups[k].members,
			memberColumn{table: r.TableName, rows: r.Rows, notNull: r.NotNull, domain: domainType{r.Domain, r.DomainNotNull}, generated: r.Generated})
	}
	return found
}

func (l *liveConstraint) has(name, table string) bool {
	return slices.ContainsFunc(l.signals, func(s signal) bool { return s.name == name && s.table == table })
}

func (l *liveConstraint) hasName(name string) bool {
	return slices.ContainsFunc(l.signals, func(s signal) bool { return s.name == name })
}
