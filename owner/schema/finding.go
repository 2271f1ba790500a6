package schema

import "strings"

// Severity says how bad a [Finding] is. The order is that of the numbers, from 1.
type Severity int

const (
	// Advice: no statement fails and no row changes hands, but it is slow, or it
	// tells by an error that somebody else's row exists.
	Advice Severity = iota + 1

	// Broken: a statement fails, or does not mean what was declared.
	Broken

	// Exposed: a row can be nobody's, or can come into other hands.
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

	// Table is the table as it was declared, or as it is found in the database
	// where it was not. It is "" for what is about the role.
	Table string

	// Name is that of the column, the index or constraint, the policy or the
	// role.
	Name string

	// Problem says what is wrong, and what follows from it.
	Problem string

	// SQL mends it: one statement on each line, with a semicolon at its end. Rows
	// that are there already may stand in its way, and it locks the table like
	// any migration. It is "" where the schema cannot tell what is right.
	SQL string
}

// String returns the finding in one line, and one more for each statement.
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
