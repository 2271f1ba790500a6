package livedb

import (
	"fmt"
	"strings"
)

// Severity classifies a [Finding] of owner/schema. A higher number is worse.
type Severity int

// The severities.
const (
	Advice  Severity = iota + 1 // slow, or an error reveals that another owner's row exists
	Broken                      // a statement fails, or does not do what was declared
	Exposed                     // a row can belong to nobody, or can be reached by another owner
)

// String returns the severity in one word, such as "broken".
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

// FindingKind classifies a [Finding] of errs/schema. The lowest is the worst.
type FindingKind int

// The kinds of finding.
const (
	WrongRule   FindingKind = iota + 1 // the rule cannot do what it says
	StaleRule                          // the schema has no such constraint, table or column
	SharedName                         // several tables have that name, and the rules do not tell them apart
	MissingRule                        // a violation gets the default response of its kind
)

// String returns the kind in words, such as "stale rule".
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

// Finding is one difference between what is declared in Go and the live schema. It holds
// names of the schema: it is for developers and logs, not for clients.
type Finding struct {
	Severity Severity    // of a finding of owner/schema
	Kind     FindingKind // of a finding of errs/schema

	// Table is the table, or several with ", " between them, or the domain. It is "" if
	// the finding is about a role, or about a rule that names no table.
	Table string

	// Name is the name of the column, the index or constraint, the policy or the role.
	Name string

	// Problem describes what is wrong, and what follows from it.
	Problem string

	// SQL is for the database: one statement on each line, with a semicolon at its end.
	SQL string

	// Add is for the Go source: a rule on each line, with a comma at its end. Drop is the
	// beginning of the rule to remove.
	Add, Drop string
}

// String returns the finding in one line, followed by what fixes it.
func (f Finding) String() string {
	var b strings.Builder
	class := f.Severity.String()
	if f.Kind != 0 {
		class = f.Kind.String()
	}
	b.WriteString(class + ": ")
	if f.Table != "" {
		b.WriteString(f.Table + ": ")
	}
	b.WriteString(f.Name + ": " + f.Problem)
	for _, fix := range []struct{ head, text string }{{"sql  ", f.SQL}, {"drop ", f.Drop}, {"add  ", f.Add}} {
		if fix.text != "" {
			b.WriteString("\n\t" + fix.head + strings.ReplaceAll(fix.text, "\n", "\n\t     "))
		}
	}
	return b.String()
}
