package owner

import (
	"math/bits"
	"strings"
)

// A Condition chooses among the rows of the owner and can never reach others. Columns
// make conditions; [And], [Or] and [Not] combine them; [Reference.Has] and
// [Reference.To] look at other tables. The zero Condition is an error of the
// statement.
type Condition[R any] struct {
	_ [0]func(R) // prevents conversion between instantiations
	cond
}

// And is true if all conditions are. Without conditions it is true.
func And[R any](conditions ...Condition[R]) Condition[R] {
	return combine("and", conditions)
}

// Or is true if at least one of the conditions is. Without conditions it is false.
func Or[R any](conditions ...Condition[R]) Condition[R] {
	return combine("or", conditions)
}

// Not is true if the condition is false. If the condition is NULL, because it
// compares with a column that is NULL, Not of it is not true either.
func Not[R any](condition Condition[R]) Condition[R] {
	if err := condition.check(); err != nil {
		return failing[R](err)
	}
	return Condition[R]{cond: cond{node: negation{condition.cond}}}
}

func combine[R any](op string, conditions []Condition[R]) Condition[R] {
	if len(conditions) == 1 {
		return conditions[0]
	}
	parts, err := untyped(nil, conditions)
	if err != nil {
		return failing[R](err)
	}
	return Condition[R]{cond: cond{node: group{op, parts}}}
}

func failing[R any](err error) Condition[R] { return Condition[R]{cond: cond{err: err}} }

// untyped appends the conditions and returns the first error in them.
func untyped[R any](to []cond, conditions []Condition[R]) ([]cond, error) {
	if len(conditions) == 0 {
		return to, nil
	}
	out := make([]cond, len(to), len(to)+len(conditions))
	copy(out, to)
	for i := range conditions {
		if err := conditions[i].check(); err != nil {
			return out, err
		}
		out = append(out, conditions[i].cond)
	}
	return out, nil
}

// cond is a condition without its type. A column compared with a value, the most
// frequent condition, is stored inline, which saves an allocation.
type cond struct {
	col  *column
	op   string
	arg  any
	node node // any other condition
	err  error
}

func (c *cond) check() error {
	if c.err == nil && c.col == nil && c.node == nil {
		return misuse("a Condition is empty; make it by a column")
	}
	return c.err
}

// write writes an expression that binds at least as tightly as a comparison, except
// for groups, which the caller encloses.
func (c *cond) write(s *statement) {
	if c.node != nil {
		c.node.write(s)
		return
	}
	s.column(c.col)
	s.sql.WriteString(c.op)
	s.param(c.arg)
}

type node interface {
	write(s *statement)
}

type pattern struct {
	col                 *column
	before, text, after string
}

// Backslash is the default escape character on both engines, and an index may then
// serve the pattern. But CockroachDB (seen on v21.1) misreads an escaped backslash
// unless another character escapes it.
var (
	escapeByBackslash = strings.NewReplacer(`%`, `\%`, `_`, `\_`)
	escapeByBang      = strings.NewReplacer(`!`, `!!`, `%`, `!%`, `_`, `!_`)
)

func (n pattern) write(s *statement) {
	s.column(n.col)
	s.text(" like ")
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

func (n nullness) write(s *statement) {
	s.column(n.col)
	s.text(n.op)
}

// membership is written as a list and not as = any(array), because pgx cannot encode
// an array of a type that it does not know, such as an enum.
type membership struct {
	col  *column
	op   string
	args []any
}

// maxPadded is the length up to which lists are padded.
const maxPadded = 1024

func (n membership) write(s *statement) {
	s.column(n.col)
	s.text(n.op)
	for i, arg := range n.args {
		if i > 0 {
			s.text(", ")
		}
		s.param(arg)
	}
	// Repeat the last value up to a power of two: lists of all lengths then share a
	// few texts, and so a few prepared statements.
	if size := 1 << bits.Len(uint(len(n.args)-1)); size <= maxPadded {
		for range size - len(n.args) {
			s.text(", ")
			s.param(n.args[len(n.args)-1])
		}
	}
	s.text(")")
}

type negation struct{ part cond }

func (n negation) write(s *statement) {
	s.text("not (")
	n.part.write(s)
	s.text(")")
}

type group struct {
	op    string // "and" or "or"
	parts []cond
}

func (n group) write(s *statement) {
	switch {
	case len(n.parts) == 0 && n.op == "and":
		s.text("true")
	case len(n.parts) == 0:
		s.text("false")
	}
	for i := range n.parts {
		if i > 0 {
			s.text(" ", n.op, " ")
		}
		if g, ok := n.parts[i].node.(group); ok && len(g.parts) > 0 {
			s.text("(")
			g.write(s)
			s.text(")")
		} else {
			n.parts[i].write(s)
		}
	}
}
