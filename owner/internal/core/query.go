package core

import "github.com/jackc/pgx/v5"

// MaxRows is owner.MaxRows.
const MaxRows = 1000

// A Query is a select on one owner's rows.
type Query struct {
	Table    *Table
	Identity Identity
	Where    []Condition
	base     []Condition // in a view, the conditions of the select that it was made of
	Grant    *Grant      // nil if there is no grant
	Order    []Order
	Limit    int
	Limited  bool
	Lock     Lock
	err      error
}

// Fail makes the select fail with that error, if it is the first one.
func (q *Query) Fail(err error) {
	if q.err == nil {
		q.err = err
	}
}

// prepare checks everything except the key.
func (q *Query) prepare(db DB, summary bool) error {
	if err := check(q.Table, q.Identity, db); err != nil {
		return err
	}
	switch {
	case q.err != nil:
		return q.err
	case q.Limited && q.Limit < 1:
		return Misuse("table %s: Limit(%d); the least is 1", q.Table.Name, q.Limit)
	case q.Lock.Mode == "":
		return nil
	case summary:
		return Misuse("table %s: ForUpdate locks the rows that are returned; Count, Exists and aggregates return none", q.Table.Name)
	}
	if q.Grant != nil {
		return Misuse("table %s: a grant is for reading, and a lock keeps the owner of a row from changing it; lock with In", q.Table.Name)
	}
	return q.Lock.check(q.Table, db)
}

// from writes the part after the list of columns: FROM, WHERE, GROUP BY and HAVING.
func (s *Statement) from(q *Query, key []*Column, first int) {
	t := q.Table
	if t.View != nil {
		s.fromView(q)
		return
	}
	s.text(" from ", t.Quoted)
	if q.Grant != nil {
		s.text(" where ")
		s.orGranted(q)
		s.and(key, first)
		s.narrow(q.Where)
		return
	}
	s.where(t, key, first, q.Where)
}

// selecting writes a select of all columns, without ORDER BY.
func (q *Query) selecting(s *Statement, key []any) {
	t := q.Table
	first := s.bind(key)
	if t.View == nil && q.Grant == nil {
		s.sql.WriteString(t.selectAll)
		if len(key) > 0 {
			s.and(t.Key, first)
		}
		s.narrow(q.Where)
		q.Lock.hold(s, t, "")
		return
	}
	s.text("select ", t.list)
	s.from(q, t.Key[:len(key)], first)
}

// build writes the select for at most fetch rows, or for all if fetch is 0.
func (q *Query) build(s *Statement, key []any, fetch int) {
	s.begin(q.Identity, len(q.Table.selectAll)+len(q.Table.list)+128+48*(len(q.Where)+len(q.base)), len(key)+len(q.Where)+len(q.base)+2)
	q.selecting(s, key)
	s.orderBy(q.Order)
	switch {
	case fetch > 0 && q.Limited:
		s.text(" limit ")
		s.param(fetch)
	case fetch == 2:
		s.text(" limit 2")
	case fetch > 0:
		s.text(" limit ")
		s.number(fetch)
	}
	q.Lock.write(s, q.Table)
}

// Statement returns the text of the select and its arguments. The text of the most
// frequent read, of one row by its key alone, was written with the declaration.
func (q *Query) Statement(key []any, fetch int) (string, []any, error) {
	t := q.Table
	if len(key) > 0 && t.View == nil && q.Grant == nil && len(q.Where) == 0 && len(q.Order) == 0 && fetch == 0 && q.Lock.Mode == "" {
		args := append(append(make([]any, 0, q.Identity.N+len(key)), q.Identity.Arg[:q.Identity.N]...), key...)
		return t.selectByKey, args, t.leading(args)
	}
	var s Statement
	q.build(&s, key, fetch)
	return s.sql.String(), s.args, t.leading(s.args)
}

// leading refuses a first argument that pgx would take for an option. If there is an
// owner, that is the first argument.
func (t *Table) leading(args []any) error {
	if !t.Shared || len(args) == 0 {
		return nil
	}
	switch args[0].(type) {
	case pgx.QueryRewriter, pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID:
		return Misuse("table %s: a value of type %T cannot come first, pgx takes it for an option", t.Name, args[0])
	}
	return nil
}
