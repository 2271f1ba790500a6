package schema

import "github.com/rowkeeper/rowkeeper/internal/livedb"

// Severity classifies a [Finding]. A higher number is worse. Its method String returns
// the name in lower case, such as "broken".
type Severity = livedb.Severity

// There are no other severities.
const (
	// Advice means that no statement fails and no row changes hands, but it is slow,
	// or an error reveals that another owner's row exists.
	Advice = livedb.Advice

	// Broken means that a statement fails, or does not do what was declared.
	Broken = livedb.Broken

	// Exposed means that a row can belong to nobody, or can be reached by another
	// owner.
	Exposed = livedb.Exposed
)

// A Finding is a difference between a declaration and the live schema. Its method
// String returns it in one line, followed by one line for each statement that fixes it.
//
//	type Finding struct {
//		Severity Severity
//
//		// Table is the name of the table: as declared, or as in the database if it is not
//		// declared. It is "" for a finding about the role.
//		Table string
//
//		// Name is the name of the column, the index or constraint, the policy or the
//		// role.
//		Name string
//
//		// Problem describes what is wrong, and what follows from it.
//		Problem string
//
//		// SQL fixes the problem: one statement on each line, with a semicolon at its end.
//		// Existing rows may prevent it, and it locks the table like any migration. It is
//		// "" if the schema does not tell what is right.
//		SQL string
//	}
//
// It is the same type as Finding of errs/schema, whose other fields are not set here.
type Finding = livedb.Finding
