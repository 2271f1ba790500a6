package rawsql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/access"
	"github.com/rowkeeper/rowkeeper/owner/internal/core"
	"github.com/rowkeeper/rowkeeper/owner/internal/sqltext"
)

// constant cannot be named outside this package, so only untyped constants convert to
// it.
type constant string

// Args are the values of the parameters by their names, without the @. A nil is NULL.
type Args map[string]any

// A Fragment is a condition on rows R that is written in SQL, for every Where of
// package owner. Make one with [MustFragment] or [NewFragment]; the zero Fragment is
// an error of the statement.
//
//	var Overdrawn = rawsql.MustFragment[Account](`balance < -@limit and name !~ '^test'`)
//
//	as, err := Accounts.In(me).Where(Overdrawn.With(rawsql.Args{"limit": 100})).All(ctx, db)
//
// It follows the owner's own condition in parentheses, which its text cannot end: its
// brackets and quotes are balanced, and it has no comments and no semicolon. It
// cannot look at other tables by a subquery: select, with, values and table are
// refused as words, so write timestamptz for timestamp with time zone, and "table"
// for a column of that name. It needs no @owner and must not have it. Columns are
// named as in the database and without their table, which some statements call by
// another name.
type Fragment[R any] struct {
	_     [0]func(R) // prevents conversion between instantiations
	short string
	text  *sqltext.Text
}

// MustFragment is like [NewFragment] but panics on an error, for package variables.
func MustFragment[R any](text constant) Fragment[R] {
	f, err := NewFragment[R](text)
	if err != nil {
		panic(err)
	}
	return f
}

// NewFragment returns a condition with a constant text; see [Fragment] for its rules.
func NewFragment[R any](text constant) (Fragment[R], error) {
	f := Fragment[R]{short: sqltext.Short(string(text))}
	parsed, err := sqltext.Fragment(string(text))
	if err != nil {
		return Fragment[R]{}, f.failed(err)
	}
	for _, name := range parsed.Names {
		if reserved(name) {
			return Fragment[R]{}, f.failed(fmt.Errorf("it is about the owner's rows already; leave out @%s, or give the parameter another name", name))
		}
	}
	f.text = parsed
	return f, nil
}

// reserved reports whether the scope fills a parameter of that name, in any case.
func reserved(name string) bool {
	return strings.EqualFold(name, "owner") || strings.EqualFold(name, "tenant")
}

// With returns the condition with values for its parameters. If it has none, args is
// nil. Args that do not fit the parameters are an error of the statement.
func (f Fragment[R]) With(args Args) owner.Condition[R] {
	var c owner.Condition[R]
	if f.text == nil {
		access.Owner.Set(&c, core.Failing(fmt.Errorf("rawsql: the Fragment was not made by MustFragment")))
		return c
	}
	values, err := sqltext.Values(f.text.Names, args)
	if err != nil {
		err = f.failed(err)
	}
	access.Owner.Set(&c, core.Fragment(f.text.Pieces, f.text.Uses, slices.Clip(values), err))
	return c
}

func (f Fragment[R]) failed(err error) error {
	return fmt.Errorf("rawsql: fragment %q: %w", f.short, err)
}
