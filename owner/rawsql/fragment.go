package rawsql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/access"
	"github.com/rowkeeper/rowkeeper/owner/internal/sqltext"
)

// constant is a type that nobody else can name, so that only constants without a
// type become it.
type constant string

// Args are the values of the parameters by their names, without the @. A nil is
// NULL.
type Args map[string]any

// A Fragment is a condition on rows R that is written in SQL. Make one with
// [MustFragment] or [NewFragment]; the zero Fragment is an error of the statement.
type Fragment[R any] struct {
	_     [0]func(R) // or Go would convert it to that of other rows
	short string
	text  *sqltext.Text
}

// MustFragment is [NewFragment] for package variables: it panics instead of
// returning an error.
func MustFragment[R any](text constant) Fragment[R] {
	f, err := NewFragment[R](text)
	if err != nil {
		panic(err)
	}
	return f
}

// NewFragment makes a condition of a constant, which must be as the package says.
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

// reserved reports whether a parameter is the scope's to fill, in whatever case.
func reserved(name string) bool {
	return strings.EqualFold(name, "owner") || strings.EqualFold(name, "tenant")
}

// With returns the condition with values for its parameters, nil if it has none.
// Args that do not fit the parameters are an error of the statement.
func (f Fragment[R]) With(args Args) owner.Condition[R] {
	var c owner.Condition[R]
	if f.text == nil {
		access.Owner.Fragment(&c, access.Fragment{}, fmt.Errorf("rawsql: the Fragment was not made by MustFragment"))
		return c
	}
	values, err := sqltext.Values(f.text.Names, args)
	if err != nil {
		err = f.failed(err)
	}
	access.Owner.Fragment(&c, access.Fragment{Pieces: f.text.Pieces, Uses: f.text.Uses, Args: slices.Clip(values)}, err)
	return c
}

func (f Fragment[R]) failed(err error) error {
	return fmt.Errorf("rawsql: fragment %q: %w", f.short, err)
}
