package core

import (
	"math/bits"
	"strings"
)

// A Condition chooses among the rows of the owner. A column compared with a value, the
// most frequent condition, is stored inline, which saves an allocation.
type Condition struct {
	col  *Column
	op   string
	arg  any
	node node // any other condition
	err  error
}

// Compare returns the condition that the column and the argument compare by the
// operator, unless err says that the argument is wrong.
func Compare(c *Column, op string, arg any, err error) Condition {
	return Condition{col: c, op: op, arg: arg, err: err}
}

// Failing returns a condition that makes its statement fail.
func Failing(err error) Condition { return Condition{err: err} }

// Not is true if the condition is false.
func Not(c Condition) Condition {
	if err := c.Check(); err != nil {
		return Failing(err)
	}
	return Condition{node: negation{c}}
}

// Combine joins conditions by "and" or "or".
func Combine(op string, parts []Condition) Condition { return Condition{node: group{op, parts}} }

// Among returns the condition that the column is one of the arguments, or none of them;
// op ends in an open parenthesis. err says that an argument is wrong.
func Among(c *Column, op string, args []any, err error) Condition {
	return Condition{node: membership{c, op, args}, err: err}
}

// Null returns the condition that op, which is is null or is not null, is true for the
// column.
func Null(c *Column, op string) Condition { return Condition{node: nullness{c, op}} }

// Like returns the condition that the column has the text between what the patterns
// before and after match.
func Like(c *Column, before, text, after string) Condition {
	if !isText(c.Type) {
		return Failing(Misuse("column %s: text cannot be searched in type %s", c, c.Type))
	}
	return Condition{node: pattern{c, before, text, after}}
}

// Check returns why no statement can use the condition, or nil.
func (c *Condition) Check() error {
	if c.err == nil && c.col == nil && c.node == nil {
		return Misuse("a Condition is empty; make it by a column")
	}
	return c.err
}

// write writes an expression that binds at least as tightly as a comparison, except
// for groups, which the caller encloses.
func (c *Condition) write(s *Statement) {
	if c.node != nil {
		c.node.write(s)
		return
	}
	s.column(c.col)
	s.sql.WriteString(c.op)
	s.param(c.arg)
}

type node interface {
	write(s *Statement)
}

type pattern struct {
	col                 *Column
	before, text, after string
}

// Backslash is the default escape character on both engines, and an index may then
// serve the pattern. But CockroachDB (seen on v21.1) misreads an escaped backslash
// unless another character escapes it.
var (
	escapeByBackslash = strings.NewReplacer(`%`, `\%`, `_`, `\_`)
	escapeByBang      = strings.NewReplacer(`!`, `!!`, `%`, `!%`, `_`, `!_`)
)

func (n pattern) write(s *Statement) {
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
	col *Column
	op  string
}

func (n nullness) write(s *Statement) {
	s.column(n.col)
	s.text(n.op)
}

// membership is written as a list and not as = any(array), because pgx cannot encode
// an array of a type that it does not know, such as an enum.
type membership struct {
	col  *Column
	op   string
	args []any
}

// maxPadded is the length up to which lists are padded.
const maxPadded = 1024

func (n membership) write(s *Statement) {
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

type negation struct{ part Condition }

func (n negation) write(s *Statement) {
	s.text("not (")
	n.part.write(s)
	s.text(")")
}

type group struct {
	op    string // "and" or "or"
	parts []Condition
}

func (n group) write(s *Statement) {
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
