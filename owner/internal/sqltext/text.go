// Package sqltext checks SQL that is written by hand, and finds its parameters.
//
// It accepts only text that CockroachDB and PostgreSQL split into the same tokens
// with all settings. Text that they read differently, such as a backslash before a
// quote, is refused.
package sqltext

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A Text is checked SQL, split at its parameters.
type Text struct {
	Pieces []string
	Uses   []int    // the index in Names of the parameter after each piece
	Names  []string // in the order of their first use
}

// Fragment checks a condition: it cannot end parentheses around it, and has no
// subquery.
func Fragment(text string) (*Text, error) { return lex(text, false) }

// Statement checks a whole statement, which reads or writes rows.
func Statement(text string) (*Text, error) { return lex(text, true) }

// SQL returns the text with $1 for the first of the names, $2 for the second, and so
// on. names must include all Names.
func (t *Text) SQL(names []string) string {
	var out strings.Builder
	for i, piece := range t.Pieces {
		if i > 0 {
			fmt.Fprintf(&out, "$%d", 1+slices.Index(names, t.Names[t.Uses[i-1]]))
		}
		out.WriteString(piece)
	}
	return out.String()
}

// Values returns the arguments with these names. It returns an error if one is
// missing, if there are others, or if pgx would not take one for a value.
func Values(names []string, args map[string]any) ([]any, error) {
	var problems []string
	values := make([]any, 0, len(names)+2) // room for an owner
	for _, name := range names {
		value, ok := args[name]
		if !ok {
			problems = append(problems, "no argument for @"+name)
		}
		switch value.(type) {
		case pgx.QueryRewriter, pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID:
			problems = append(problems, fmt.Sprintf("the argument for @%s is of type %T, which is an option of pgx", name, value))
		}
		values = append(values, value)
	}
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if !slices.Contains(names, name) {
			problems = append(problems, fmt.Sprintf("no parameter for the argument %q", name))
		}
	}
	if problems != nil {
		return nil, fmt.Errorf("%s", strings.Join(problems, "; "))
	}
	return values, nil
}

// Missing reports whether db is nil.
func Missing(db any) bool {
	v := reflect.ValueOf(db)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// Short returns the beginning of a text, for messages.
func Short(text string) string {
	words := strings.Fields(text)
	short := strings.Join(words[:min(len(words), 6)], " ")
	if len(short) > 60 {
		short = strings.ToValidUTF8(short[:60], "")
	}
	return short
}
