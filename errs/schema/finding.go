package schema

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/livedb"
)

// Querier is the part of a database that [Verify] needs. A *pgxpool.Pool, a *pgx.Conn, a
// pgx.Tx and a *txn.Tx have it.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// FindingKind classifies a [Finding]. The lowest is the worst. Its method String returns
// the kind in words, such as "stale rule".
type FindingKind = livedb.FindingKind

// There are no other kinds of finding.
const (
	// WrongRule means that the constraint exists, but the rule cannot do what it says,
	// such as one with Code for a foreign key, or NotNull for a column that may be NULL.
	WrongRule = livedb.WrongRule

	// StaleRule means that the schema has no such constraint, table or column.
	StaleRule = livedb.StaleRule

	// SharedName means that several tables have a constraint or a NOT NULL column of that
	// name, and the rules do not tell them apart. On CockroachDB no rule can, because the
	// server does not name the table.
	SharedName = livedb.SharedName

	// MissingRule means that a violation gets the default response of its kind, which
	// names no field. This is no danger, only less help for the client.
	MissingRule = livedb.MissingRule
)

// Finding is one difference that [Verify] found. It holds names of the schema: it is for
// developers and logs, not for clients. Its method String returns it in one line, or in
// several if it has rules to add or drop.
//
//	type Finding struct {
//		Kind FindingKind
//
//		// Table is the table, or several with ", " between them, or the domain. It is "" if
//		// the rule names none.
//		Table string
//
//		// Name is the name of the constraint, the unique index or the column.
//		Name string
//
//		// Problem describes what is wrong, and what follows from it.
//		Problem string
//
//		// Add is the Go source of the rules that fix it, one on each line with a comma at its
//		// end, to paste into errs.NewCatalog. Codes and fields are guesses from the names in
//		// the schema. It is "" if there is nothing to add.
//		Add string
//
//		// Drop is the beginning of the rule to remove, such as
//		// errs.Constraint("a_check").On("a"), or "".
//		Drop string
//	}
//
// It is the same type as Finding of owner/schema, whose other fields are not set here.
type Finding = livedb.Finding
