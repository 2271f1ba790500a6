package errs

import (
	"path"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// refine sets the kind of SQLSTATEs with several meanings. Routine and File tell
// these apart in any language; CockroachDB has other ones and is told by its message.
func (e *Error) refine(pe *pgconn.PgError) {
	switch pe.Code {
	case stateFeature:
		if pe.Routine == "RevalidateCachedQuery" || strings.HasPrefix(pe.Message, "cached plan must not change result type") {
			e.kind = Unavailable
		}
	case stateData:
		if pe.Routine == "range_serialize" {
			e.kind, e.code, e.message = Invalid, "invalid_range", "A range ends before it begins."
		}
	case stateSyntax:
		if ofValue(pe) {
			e.kind, e.code, e.message = Malformed, "invalid_expression", "The expression is not valid."
		}
	}
}

// valueParsers are the files of PostgreSQL that parse values in a language of their
// own, and report 42601 like the parser of SQL.
var valueParsers = map[string]bool{
	"tsquery.c": true, "tsvector_parser.c": true, "jsonpath.c": true, "jsonpath_scan.l": true, "jsonpath_gram.y": true,
	"ltree_io.c": true, "ltxtquery_io.c": true, "_int_bool.c": true,
}

// ofValue reports whether a syntax error is in a value.
func ofValue(pe *pgconn.PgError) bool {
	return valueParsers[path.Base(pe.File)] || strings.HasPrefix(pe.Message, "syntax error in TSQuery") || strings.HasPrefix(pe.Message, "syntax error in TSVector")
}

// ofSQL reports whether a syntax error is in the statement. No rule can make it the
// client's fault.
func ofSQL(pe *pgconn.PgError) bool {
	return pe.Code == stateSyntax && !ofValue(pe) && (pe.Position != 0 || pe.InternalPosition != 0 ||
		pe.Routine == "scanner_yyerror" || strings.HasPrefix(pe.Message, "at or near "))
}

// stateRule finds the rule for a SQLSTATE. A rule with the hint comes before one
// without.
func (c *Catalog) stateRule(pe *pgconn.PgError) (found *Rule) {
	if c == nil || len(c.states) == 0 || ofSQL(pe) {
		return nil
	}
	rules := c.states[pe.Code]
	for i := range rules {
		switch r := &rules[i]; r.hint {
		case "":
			found = r
		case pe.Hint:
			return r
		}
	}
	return found
}

// raisedRule finds the rule for the constraint that the application's own RAISE
// names. It comes after rules with its hint and before one for the SQLSTATE as a
// whole.
func (c *Catalog) raisedRule(pe *pgconn.PgError) *Rule {
	if pe.ConstraintName == "" || !isState(pe.Code) || pe.Code[:2] == classIntegrity {
		return nil
	}
	if _, known := states[pe.Code]; known && pe.Code[:2] != classRaised {
		return nil
	}
	if r := c.constraintRule(pe); r != nil && r.reply != nil {
		return r
	}
	return nil
}
