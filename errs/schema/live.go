package schema

import (
	"context"
	"errors"
	"slices"

	"github.com/rowkeeper/rowkeeper/internal/livedb"
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
	read, err := livedb.Read(ctx, db)
	if err != nil {
		return nil, err
	}
	if len(read.SearchPath) == 0 {
		return nil, errors.New("no schema of the search_path is there")
	}
	if err := read.ReadDomainChecks(ctx, db); err != nil {
		return nil, err
	}
	schema := &liveSchema{
		cockroach: read.Cockroach, searched: read.SearchPath,
		constraints: groupConstraints(constraintsOf(read), read.Cockroach), columns: groupColumns(read),
	}
	schema.constraints = slices.DeleteFunc(schema.constraints, func(l *liveConstraint) bool { return l.table == ledgerTable })
	schema.columns = slices.DeleteFunc(schema.columns, func(l *liveColumn) bool { return l.table == ledgerTable })
	return schema, nil
}

// ledgerTable is that of once.Schema. Package txn knows its violations, which
// never come here.
const ledgerTable = "rowkeeper_ledger"

func (l *liveConstraint) has(name, table string) bool {
	return slices.ContainsFunc(l.signals, func(s signal) bool { return s.name == name && s.table == table })
}

func (l *liveConstraint) hasName(name string) bool {
	return slices.ContainsFunc(l.signals, func(s signal) bool { return s.name == name })
}
