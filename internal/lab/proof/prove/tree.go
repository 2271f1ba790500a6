// Package prove proves that the text of a statement cannot leave the rows of one
// owner. The grammars of PostgreSQL and of CockroachDB parse the text. Both results
// are converted into one small tree, and the rules are checked on both. A text that
// is not understood is not proven.
package prove

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// query is a statement or a subquery.
type query struct {
	verb      string // select, insert, update, delete, values
	with      []cte
	distinct  bool
	outputs   []output // of a select
	rows      [][]*expr
	target    *source  // of a write
	columns   []string // of an insert
	from      []*source
	input     *query // of an insert: values or select
	where     *expr
	groupBy   []*expr
	having    *expr
	orderBy   []sorting
	limit     *expr
	lock      string
	set       []assignment
	conflict  *conflict
	returning []output
}

type cte struct {
	name    string
	columns []string
	query   *query
}

type output struct {
	expr *expr
	as   string
}

type sorting struct {
	expr  *expr
	desc  bool
	nulls string // "", first, last
}

type assignment struct {
	column string
	expr   *expr
}

type conflict struct {
	target  []string
	nothing bool
	set     []assignment
	where   *expr
}

// source is a source of rows: a table, a subquery or a join.
type source struct {
	schema, table, alias string
	sub                  *query
	join                 string // inner, left, right, full, cross
	left, right          *source
	on                   *expr
}

// name returns the qualifier of the columns.
func (s *source) name() string {
	if s.alias != "" {
		return s.alias
	}
	return s.table
}

// expr is an expression. Chains of AND and of OR are flat.
type expr struct {
	kind  string // column, param, const, op, and, or, not, null, notnull, in, notin, like, exists, scalar, call, case, cast, array, default, star, excluded
	text  string // name of a column, function, operator or type; a constant, as i:1, s:x or b:true
	table string // qualifies a column
	num   int    // of a parameter
	args  []*expr
	sub   *query
}

func logic(kind string, args ...*expr) *expr {
	e := &expr{kind: kind}
	for _, a := range args {
		if a.kind == kind {
			e.args = append(e.args, a.args...)
		} else {
			e.args = append(e.args, a)
		}
	}
	return e
}

func conjuncts(e *expr) []*expr {
	switch {
	case e == nil:
		return nil
	case e.kind == "and":
		return e.args
	}
	return []*expr{e}
}

// String writes a tree in full, to compare the results of two grammars. Names are
// composed as CockroachDB does it, each by itself: a mark that begins a name must
// not be joined to the text before it.
func (q *query) String() string {
	if q == nil {
		return "-"
	}
	var b strings.Builder
	q.write(&b)
	return b.String()
}

func (q *query) write(b *strings.Builder) {
	b.WriteString("(" + q.verb)
	for _, c := range q.with {
		writeNames(b, " with", c.name)
		writeNames(b, " columns", c.columns...)
		c.query.write(b)
	}
	if q.distinct {
		b.WriteString(" distinct")
	}
	writeOutputs(b, " out", q.outputs)
	for _, row := range q.rows {
		writeAll(b, " row", row)
	}
	if q.target != nil {
		b.WriteString(" target")
		q.target.write(b)
	}
	if q.columns != nil {
		writeNames(b, " columns", q.columns...)
	}
	for _, s := range q.from {
		b.WriteString(" from")
		s.write(b)
	}
	if q.input != nil {
		b.WriteString(" input")
		q.input.write(b)
	}
	writeOne(b, " where", q.where)
	if q.groupBy != nil {
		writeAll(b, " group", q.groupBy)
	}
	writeOne(b, " having", q.having)
	for _, o := range q.orderBy {
		b.WriteString(" order " + strconv.FormatBool(o.desc) + o.nulls)
		o.expr.write(b)
	}
	writeOne(b, " limit", q.limit)
	b.WriteString(q.lock)
	writeSet(b, q.set)
	if c := q.conflict; c != nil {
		writeNames(b, " conflict "+strconv.FormatBool(c.nothing), c.target...)
		writeSet(b, c.set)
		writeOne(b, " where", c.where)
	}
	writeOutputs(b, " returning", q.returning)
	b.WriteString(")")
}

func writeNames(b *strings.Builder, what string, names ...string) {
	b.WriteString(what)
	for _, name := range names {
		b.WriteString(" " + strconv.Quote(norm.NFC.String(name)))
	}
}

func writeSet(b *strings.Builder, set []assignment) {
	for _, a := range set {
		writeNames(b, " set", a.column)
		a.expr.write(b)
	}
}

func writeOutputs(b *strings.Builder, what string, outputs []output) {
	for _, o := range outputs {
		writeNames(b, what, o.as)
		o.expr.write(b)
	}
}

func writeAll(b *strings.Builder, what string, exprs []*expr) {
	b.WriteString(what + "[")
	for _, e := range exprs {
		e.write(b)
	}
	b.WriteString("]")
}

func writeOne(b *strings.Builder, what string, e *expr) {
	if e != nil {
		b.WriteString(what)
		e.write(b)
	}
}

func (s *source) write(b *strings.Builder) {
	switch {
	case s.join != "":
		b.WriteString("{" + s.join)
		s.left.write(b)
		s.right.write(b)
		writeOne(b, " on", s.on)
		b.WriteString("}")
	case s.sub != nil:
		s.sub.write(b)
		writeNames(b, " as", s.alias)
	default:
		writeNames(b, "{", s.schema, s.table, s.alias)
		b.WriteString("}")
	}
}

func (e *expr) write(b *strings.Builder) {
	b.WriteString("<" + e.kind)
	if e.table != "" {
		writeNames(b, " of", e.table)
	}
	if e.text != "" {
		writeNames(b, "", e.text)
	}
	if e.num != 0 {
		b.WriteString(" " + strconv.Itoa(e.num))
	}
	for _, a := range e.args {
		a.write(b)
	}
	if e.sub != nil {
		e.sub.write(b)
	}
	b.WriteString(">")
}

// failure ends a proof inside this package; the exported functions turn it into an
// error.
type failure struct{ error }

func fail(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

func recovered(err *error) {
	switch r := recover().(type) {
	case nil:
	case failure:
		*err = r.error
	default:
		panic(r)
	}
}
