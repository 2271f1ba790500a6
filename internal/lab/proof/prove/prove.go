package prove

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Grammars has the error of each grammar that did not parse a statement, and nil
// for one that did.
type Grammars struct{ PostgreSQL, CockroachDB error }

// Statement proves that a statement keeps to the claim, as each grammar that parses
// it understands it. Without an error there is a proof from each, and both
// understood the same. If a grammar does not parse the statement, the result holds
// its error, and there is no proof for that engine. The caller takes that for a
// failure, whatever the server would answer: both grammars parse everything that
// package owner sends, so nothing is gained by asking.
func Statement(sql string, args []any, claim *Claim) (Grammars, error) {
	var g Grammars
	if err := lexical(sql); err != nil {
		return g, err
	}
	var pg, cr *query
	pg, g.PostgreSQL = parsePostgreSQL(sql)
	cr, g.CockroachDB = parseCockroachDB(sql)
	if pg != nil {
		if err := byTree(pg, args, claim, exact); err != nil {
			return g, fmt.Errorf("by the grammar of PostgreSQL: %w", err)
		}
	}
	if cr != nil {
		if err := byTree(cr, args, claim, composedName); err != nil {
			return g, fmt.Errorf("by the grammar of CockroachDB: %w", err)
		}
	}
	if pg != nil && cr != nil {
		if a, b := pg.String(), cr.String(); a != b {
			return g, fmt.Errorf("the grammars understand different things:\n\t%s\n\t%s", a, b)
		}
	}
	return g, nil
}

// The names that the engines make of a quoted name.
func exact(name string) string        { return name }
func composedName(name string) string { return norm.NFC.String(name) }

// lexical refuses everything outside of quoted names and strings except keywords,
// parameters and operators: above all comments and semicolons.
func lexical(sql string) error {
	quote := byte(0)
	for i := range len(sql) {
		c := sql[i]
		switch {
		case c == 0:
			return fmt.Errorf("a NUL in the text")
		case quote != 0:
			if c == quote {
				quote = 0 // a doubled one opens again
			}
		case c == '"' || c == '\'':
			quote = c
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', strings.IndexByte(" _$.,()[]=<>+*|", c) >= 0:
		default:
			return fmt.Errorf("the character %q outside of quotes", c)
		}
	}
	if quote != 0 {
		return fmt.Errorf("a quote is open at the end")
	}
	return nil
}

// prover checks one tree.
type prover struct {
	claim   *Claim
	args    []any
	fold    func(string) string // the name that the engine makes of a quoted one
	ctes    map[string]*cte
	used    []bool // parameters
	writes  int
	written *source
	base    *source // of a read

	withGuard *expr // a value of an insert that holds the guard, and the keys that it checks
	checked   []fkTargets
	unnest    []*expr   // calls of it in the guard
	unread    []*source // tables of which the guard needs the types only
}

func byTree(q *query, args []any, claim *Claim, fold func(string) string) (err error) {
	defer recovered(&err)
	p := &prover{claim: claim, args: args, fold: fold, ctes: map[string]*cte{}, used: make([]bool, len(args)), base: base(q)}
	p.query(q, nil)
	for i, used := range p.used {
		if !used {
			fail("parameter %d is not used", i+1)
		}
	}
	switch write := p.writes > 0; {
	case p.writes > 1:
		fail("%d writes in one statement", p.writes)
	case write && claim.Verb == Read:
		fail("a read that writes")
	}
	return nil
}

// scope is the sources whose columns can be named; the inner ones hide the outer.
type scope struct {
	tables []*source
	outer  *scope
}

func (p *prover) declared(s *source) *Table {
	for _, t := range p.claim.Tables {
		if p.fold(t.Schema) == s.schema && p.fold(t.Name) == s.table {
			return t
		}
	}
	return nil
}

func (p *prover) isCTE(s *source) *cte {
	if s.schema != "" {
		return nil
	}
	return p.ctes[s.table]
}

func (p *prover) has(t *Table, column string) bool {
	return slices.ContainsFunc(t.Columns, func(c Column) bool { return p.fold(c.Name) == column })
}

func (p *prover) among(names []string, column string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return p.fold(n) == column })
}

// offers reports whether a source has a column of that name.
func (p *prover) offers(s *source, column string) bool {
	if s.sub != nil {
		return offersOutput(s.sub, nil, column)
	}
	if c := p.isCTE(s); c != nil {
		return offersOutput(c.query, c.columns, column)
	}
	t := p.declared(s)
	return t != nil && p.has(t, column)
}

func offersOutput(q *query, names []string, column string) bool {
	if names != nil {
		return slices.Contains(names, column)
	}
	return slices.ContainsFunc(slices.Concat(q.outputs, q.returning), func(o output) bool {
		return o.as == column || o.as == "" && o.expr.kind == "column" && o.expr.text == column
	})
}

// resolve finds the source of a column.
func (p *prover) resolve(c *expr, in *scope) *source {
	for ; in != nil; in = in.outer {
		var found []*source
		for _, s := range in.tables {
			if c.table == s.name() || c.table == "" && p.offers(s, c.text) {
				found = append(found, s)
			}
		}
		switch {
		case len(found) > 1:
			fail("the column %q.%q may be of several tables", c.table, c.text)
		case len(found) == 1 && !p.offers(found[0], c.text):
			fail("the column %q is not declared for %q", c.text, found[0].name())
		case len(found) == 1:
			return found[0]
		}
	}
	fail("the column %q.%q is of no table that is there", c.table, c.text)
	return nil
}

// query proves a statement or subquery, including everything in it.
func (p *prover) query(q *query, outer *scope) {
	for i := range q.with {
		c := &q.with[i]
		if p.ctes[c.name] != nil || slices.ContainsFunc(p.claim.Tables, func(t *Table) bool { return t.Schema == "" && p.fold(t.Name) == c.name }) {
			fail("the name %q in WITH is used twice, or by a table", c.name)
		}
		p.query(c.query, outer)
		p.ctes[c.name] = c
	}
	in := &scope{outer: outer}
	if q.target != nil {
		in.tables = append(in.tables, q.target)
		p.written = q.target
	}
	for _, s := range q.from {
		p.collect(s, in)
	}
	for _, s := range q.from {
		p.source(s, in)
	}
	p.filtered(q.from, conjuncts(q.where), in)
	p.expressions(q, in)
	switch q.verb {
	case "insert":
		p.insert(q, in)
	case "update":
		p.update(q, in)
	case "delete":
		p.write(q, Delete)
		p.mustOwn(q.target, conjuncts(q.where), in)
		p.current(q, conjuncts(q.where), in)
	}
}

// collect lists the tables in FROM.
func (p *prover) collect(s *source, in *scope) {
	if s.join != "" {
		p.collect(s.left, in)
		p.collect(s.right, in)
		return
	}
	if slices.ContainsFunc(in.tables, func(t *source) bool { return t.name() == s.name() }) {
		fail("two tables have the name %q", s.name())
	}
	in.tables = append(in.tables, s)
}

// source proves the subqueries and join conditions in FROM.
func (p *prover) source(s *source, in *scope) {
	switch {
	case s.join != "":
		p.source(s.left, in)
		p.source(s.right, in)
		if s.on != nil {
			p.expr(s.on, in, false)
		}
	case s.sub != nil:
		p.query(s.sub, in.outer)
	}
}

// filtered proves the owner of every table in FROM by the conditions that all of
// its rows must meet: those of WHERE, and those of ON if the join does not keep
// rows that fail it.
func (p *prover) filtered(from []*source, where []*expr, in *scope) {
	var walk func(s *source, must []*expr)
	walk = func(s *source, must []*expr) {
		if s.join == "" {
			p.mustOwn(s, must, in)
			return
		}
		with := slices.Concat(must, conjuncts(s.on))
		left, right := must, must
		if s.join == "inner" || s.join == "right" {
			left = with
		}
		if s.join == "inner" || s.join == "left" {
			right = with
		}
		walk(s.left, left)
		walk(s.right, right)
	}
	for _, s := range from {
		walk(s, where)
	}
}

// expressions checks all expressions of a query.
func (p *prover) expressions(q *query, in *scope) {
	all := func(exprs ...*expr) {
		for _, e := range exprs {
			if e != nil {
				p.expr(e, in, false)
			}
		}
	}
	all(q.where, q.having, q.limit)
	all(q.groupBy...)
	for _, o := range q.orderBy {
		all(o.expr)
	}
	for _, a := range q.set {
		all(a.expr)
	}
	if c := q.conflict; c != nil {
		all(c.where)
		for _, a := range c.set {
			all(a.expr)
		}
	}
	for _, row := range q.rows {
		all(row...)
	}
	for _, o := range slices.Concat(q.outputs, q.returning) {
		p.expr(o.expr, in, true)
	}
}

// constants are all constants that may occur in a text.
var constants = []string{
	"null", "b:true", "b:false", "i:0", "i:1", "i:2", "i:1001", "s:!", "s:rowkeeper references: ", "s:0",
}

// casts are the types that a cast may produce.
var casts = []string{"int8", "text", "float4", "float8"}

var functions = []string{"count", "sum", "avg", "min", "max", "coalesce"}

// expr checks names, constants, functions and subqueries. If out, the value leaves
// the database.
func (p *prover) expr(e *expr, in *scope, out bool) {
	switch e.kind {
	case "column":
		if e.table == "excluded" {
			return // the rules of ON CONFLICT
		}
		s := p.resolve(e, in)
		if t := p.declared(s); out && t != nil && p.isCTE(s) == nil {
			for _, c := range t.Columns {
				if c.Hidden && p.fold(c.Name) == e.text && !slices.Contains(p.claim.Reveal, Revealed{t, c.Name}) {
					fail("the column %q is hidden, and put out", e.text)
				}
			}
		}
	case "param":
		if e.num < 1 || e.num > len(p.args) {
			fail("parameter %d of %d", e.num, len(p.args))
		}
		p.used[e.num-1] = true
	case "const":
		if !slices.Contains(constants, e.text) {
			fail("the constant %q", e.text)
		}
	case "call":
		if !slices.Contains(functions, e.text) && !slices.Contains(p.unnest, e) {
			fail("the function %q", e.text)
		}
		if e.text == "count" && len(e.args) == 1 && e.args[0].kind == "star" {
			return
		}
	case "cast":
		if !slices.Contains(casts, e.text) {
			fail("a cast to %q", e.text)
		}
	case "star":
		fail("a star for columns")
	case "exists", "scalar":
		p.query(e.sub, in)
	}
	for _, a := range e.args {
		p.expr(a, in, out)
	}
}
