package errs

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Querier is what [Catalog.Verify] reads the schema through: a *pgxpool.Pool, a
// *pgx.Conn, a pgx.Tx or a *txn.Tx.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// FindingKind says what is wrong, the worst first. There is no other than the
// four below.
type FindingKind int

const (
	// WrongRule: the constraint is there, but the rule cannot do what it says,
	// such as one with Code for a foreign key, or NotNull for a column that may
	// be NULL.
	WrongRule FindingKind = iota + 1

	// StaleRule: the schema has no such constraint, table or column.
	StaleRule

	// SharedName: several tables have a constraint of that name, or a NOT NULL
	// column, and the rules do not tell them apart. On CockroachDB no rule can,
	// because the server does not name the table.
	SharedName

	// MissingRule: the violation is answered with the default of its kind, which
	// names no field. This is no danger, only less help for the client.
	MissingRule
)

// String gives the kind in words, such as "stale rule".
func (k FindingKind) String() string {
	switch k {
	case WrongRule:
		return "wrong rule"
	case StaleRule:
		return "stale rule"
	case SharedName:
		return "shared name"
	case MissingRule:
		return "missing rule"
	}
	return fmt.Sprintf("FindingKind(%d)", int(k))
}

// Finding is one thing that [Catalog.Verify] found. It holds names of the
// schema: it is for developers and logs, not for clients.
type Finding struct {
	Kind FindingKind

	// Table is the table, or several with ", " between them, or the domain. It
	// is "" where a rule names none.
	Table string

	// Name is that of the constraint, the unique index or the column.
	Name string

	// Problem says what is wrong, and what follows from it.
	Problem string

	// Add is the source of the rules that mend it, one on each line with a comma
	// at its end, to paste into NewCatalog. Codes and fields are guesses from
	// the names in the schema. It is "" if there is nothing to add.
	Add string

	// Drop is the beginning of the rule to take away, such as
	// errs.Constraint("a_check").On("a"), or "".
	Drop string
}

// String gives the finding in one line, or several if it has rules to add.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: ", f.Kind)
	if f.Table != "" {
		b.WriteString(f.Table + ": ")
	}
	fmt.Fprintf(&b, "%s: %s", f.Name, f.Problem)
	if f.Drop != "" {
		b.WriteString("\n\tdrop " + f.Drop)
	}
	if f.Add != "" {
		b.WriteString("\n\tadd  " + strings.ReplaceAll(f.Add, "\n", "\n\t     "))
	}
	return b.String()
}
