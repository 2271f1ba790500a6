// Package rules is the view that package errs/schema has of the rules of a catalog.
// Package errs exports none of it.
package rules

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// Names that a database assigns.
const (
	OldPrimaryKey       = "primary" // every primary key of CockroachDB before 21.2
	PrimaryKeySuffix    = "_pkey"
	MaxIdentifierLength = 63 // of PostgreSQL, in bytes
)

// Catalog is a view of an *errs.Catalog.
type Catalog struct {
	// Rules are those about something that a schema has.
	Rules []Rule

	// Inherited reports whether the rules of a table hold for its partitions.
	Inherited bool

	// Find returns the rule that the catalog uses for the violation of a constraint, or
	// of NOT NULL. It does not ask the database whose partition it was if the violation
	// names no schema.
	Find func(violation *pgconn.PgError) (Rule, bool)
}

// Rule is a copy of an errs.Rule. It is about a Constraint, a Column of a table, or a
// Domain; the other two are empty.
type Rule struct {
	Constraint string
	Column     string
	Domain     string
	Table      string   // of a constraint: "" for any table
	Key        []string // columns of a primary key
	Columns    []string // of a foreign key
	Reply      *Reply   // of all but foreign keys
	Missing    *Reply   // of a foreign key: the row refers to nothing
	InUse      *Reply   // of a foreign key: others refer to the row
	Kind       kind.Kind
	Kinded     bool // Kind is set
	Status     int  // 0: that of the kind
}

// Reply is the response to a client.
type Reply struct{ Code, Field, Message string }

// Name returns how the rule is made, such as Constraint("a_check").On("a"). No two rules
// of a catalog have the same name.
func (r Rule) Name() string {
	switch {
	case r.Domain != "":
		return fmt.Sprintf("DomainNotNull(%q)", r.Domain)
	case r.Column != "":
		return fmt.Sprintf("NotNull(%q, %q)", r.Table, r.Column)
	case r.Table != "":
		return fmt.Sprintf("Constraint(%q).On(%q)", r.Constraint, r.Table)
	}
	return fmt.Sprintf("Constraint(%q)", r.Constraint)
}

// Of returns the view of an *errs.Catalog, which may be nil. Package errs sets it when it
// is imported.
var Of func(catalog any) Catalog
