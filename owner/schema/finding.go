package schema

import "strings"

// Severity classifies a [Finding]. A higher number is worse.
type Severity int

const (
	// Advice means that no statement fails and no row changes hands, but it is slow,
	// or an error reveals that another owner's row exists.
	Advice Severity = iota + 1

	// Broken means that a statement fails, or does not do what was declared.
	Broken

	// Exposed means that a row can belong to nobody, or can be reached by another
	// owner.
	Exposed
)

func (s Severity) String() string {
	switch s {
	case Advice:
		return "advice"
	case Broken:
		return "broken"
	case Exposed:
		return "exposed"
	}
	return "no severity"
}

// A Finding is a difference between a declaration and the live schema.
type Finding struct {
	Severity Severity

	// Table is the name of the table: as declared, or as in the database if it is not
	// declared. It is "" for a finding about the role.
	Table string

	// Name is the name of the column, the index or constraint, the policy or the
	// role.
	Name string

	// Problem describes what is wrong, and what follows from it.
	Problem string

	// SQL fixes the problem: one statement on each line, with a semicolon at its end.
	// Existing rows may prevent it, and it locks the table like any migration. It is
	// "" if the schema does not tell what is right.
	SQL string
}

// String returns the finding in one line, followed by one line for each statement.
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(f.Severity.String() + ": ")
	if f.Table != "" {
		b.WriteString(f.Table + ": ")
	}
	b.WriteString(f.Name + ": " + f.Problem)
	if f.SQL != "" {
		b.WriteString("\n\tsql  " + strings.ReplaceAll(f.SQL, "\n", "\n\t     "))
	}
	return b.String()
}
