package owner

import (
	"math/bits"
	"strings"
)

// A Condition chooses among the rows of the owner; it can never reach others.
// The columns make conditions, and [And], [Or] and [Not] combine them. The zero
// Condition is an error of the statement.
type Condition[R any] struct {
	_    [0]func(R) // or Go would convert it to that of other rows
	node node
	err  error
}

// And is true where all conditions are; with none, it is true.
func And[R any](conditions ...Condition[R]) Condition[R] {
	return combine("and", conditions)
}

// Or is true where at least one of the conditions is; with none, it is false.
func Or[R any](conditions ...Condition[R]) Condition[R] {
	return combine("or", conditions)
}

// Not is true where the condition is false. Where it is neither, because it
// compares with a column that is NULL, Not of it is not true either.
func Not[R any](condition Condition[R]) Condition[R] {
	if err := condition.check(); err != nil {
		return Condition[R]{err: err}
	}
	return Condition[R]{node: negation{condition.node}}
}

func combine[R any](op string, conditions []Condition[R]) Condition[R] {
	if len(conditions) == 1 {
		return conditions[0]
	}
	parts := make([]node, len(conditions))
	for i, c := range conditions {
		if err := c.check(); err != nil {
			return Condition[R]{err: err}
		}
		parts[i] = c.node
	}
	return Condition[R]{node: group{op, parts}}
}

func (c Condition[R]) check() error {
	if c.err == nil && c.node == nil {
		return misuse("a Condition is empty; make it by a column")
	}
	return c.err
}

// An Order says by which column to sort, and which way; see [ColumnOf.Asc] and
// [ColumnOf.Desc].
type Order[R any] struct {
	_    [0]func(R)
	col  *column
	desc bool
}

func (o Order[R]) check() error {
	if o.col == nil {
		return errNoColumn
	}
	return nil
}

// An Assignment gives a column a value; see [ColumnOf.Set] and [ColumnOf.Add].
type Assignment[R any] struct {
	_   [0]func(R)
	col *column
	add bool
	arg any
	err error
}

func (a Assignment[R]) check() error {
	if a.err == nil && a.col == nil {
		return errNoColumn
	}
	return a.err
}

// node is a condition in a statement. What a node writes binds at least as
// tightly as a comparison, or is enclosed by whoever writes it.
type node interface {
	write(s *statement)
}

type comparison struct {
	col *column
	op  string
	arg any
}

func (n comparison) write(s *statement) {
	s.text(n.col.quoted, " ", n.op, " ")
	s.param(n.arg)
}

type pattern struct {
	col                 *column
	before, text, after string
}

// Backslash is the default escape character on both engines, and an index may
// serve the pattern then. But CockroachDB (seen on v21.1) takes an escaped
// backslash wrongly, unless another character escapes it.
var (
	escapeByBackslash = strings.NewReplacer(`%`, `\%`, `_`, `\_`)
	escapeByBang      = strings.NewReplacer(`!`, `!!`, `%`, `!%`, `_`, `!_`)
)

func (n pattern) write(s *statement) {
	s.text(n.col.quoted, " like ")
	if strings.Contains(n.text, `\`) {
		s.param(n.before + escapeByBang.Replace(n.text) + n.after)
		s.text(" escape '!'")
		return
	}
	s.param(n.before + escapeByBackslash.Replace(n.text) + n.after)
}

type nullness struct {
	col *column
	op  string
}

func (n nullness) write(s *statement) { s.text(n.col.quoted, " ", n.op) }

// membership is written as a list and not as = any(array), because pgx cannot
// encode an array of a type that it does not know, such as an enum.
type membership struct {
	col  *column
	op   string
	args []any
}

// Longer lists are not padded.
const maxPadded = 1024

func (n membership) write(s *statement) {
	s.text(n.col.quoted, " ", n.op, " (")
	for i, arg := range n.args {
		if i > 0 {
			s.text(", ")
		}
		s.param(arg)
	}
	// The last value again, up to a power of two: lists of all lengths share a
	// few texts, and so a few prepared statements.
	if size := 1 << bits.Len(uint(len(n.args)-1)); size <= maxPadded {
		for range size - len(n.args) {
			s.text(", ")
			s.param(n.args[len(n.args)-1])
		}
	}
	s.text(")")
}

type negation struct{ part node }

func (n negation) write(s *statement) {
	s.text("not (")
	n.part.write(s)
	s.text(")")
}

type group struct {
	op    string // "and" or "or"
	parts []node
}

func (n group) write(s *statement) {
	switch {
	case len(n.parts) == 0 && n.op == "and":
		s.text("true")
	case len(n.parts) == 0:
		s.text("false")
	}
	for i, part := range n.parts {
		if i > 0 {
			s.text(" ", n.op, " ")
		}
		if g, ok := part.(group); ok && len(g.parts) > 0 {
			s.text("(")
			g.write(s)
			s.text(")")
		} else {
			part.write(s)
		}
	}
}
