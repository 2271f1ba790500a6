package core

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A Statement builds the text and the arguments of a statement. The first arguments are
// always the owner. (pgx takes some types of leading arguments for options of its
// own: For refuses those types, and another value comes first only in statements on
// shared tables, which check theirs.)
type Statement struct {
	sql     strings.Builder
	args    []any
	prefix  string // of the columns of the current table: "", or an alias and a dot
	aliases int    // number of aliases in use

	few [8]any // storage for the arguments, if they are few
}

func (s *Statement) begin(owner Identity, text, args int) {
	s.sql.Grow(text)
	if s.args = s.few[:owner.N]; owner.N+args > len(s.few) {
		s.args = make([]any, owner.N, owner.N+args)
	}
	copy(s.args, owner.Arg[:owner.N])
}

func newStatement(owner Identity) *Statement {
	s := new(Statement)
	s.begin(owner, 256, 8)
	return s
}

func (s *Statement) text(parts ...string) {
	for _, part := range parts {
		s.sql.WriteString(part)
	}
}

// column writes a column of the current table.
func (s *Statement) column(c *Column) {
	s.sql.WriteString(s.prefix)
	s.sql.WriteString(c.Quoted)
}

func (s *Statement) param(arg any) {
	s.args = append(s.args, arg)
	s.ref(len(s.args))
}

func (s *Statement) ref(n int) {
	s.sql.WriteByte('$')
	s.number(n)
}

func (s *Statement) number(n int) {
	var digits [20]byte
	s.sql.Write(strconv.AppendInt(digits[:0], int64(n), 10))
}

// bind adds arguments that are referred to later by their numbers, and returns the
// first number.
func (s *Statement) bind(args []any) int {
	s.args = append(s.args, args...)
	return len(s.args) - len(args) + 1
}

// where writes the WHERE clause. The owner comes first, and the caller's conditions
// are ANDed to it, so they can only narrow. The key was bound at number first.
func (s *Statement) where(t *Table, key []*Column, first int, conditions []Condition) {
	s.text(" where ", t.owned)
	s.and(key, first)
	s.narrow(conditions)
}

// writing is like where, for rows that are to be changed.
func (s *Statement) writing(t *Table, key []*Column, first int, conditions []Condition) {
	s.where(t, key, first, conditions)
	s.text(t.held("", 1, ""))
}

// and compares columns with the arguments bound at number first.
func (s *Statement) and(columns []*Column, first int) {
	for i, c := range columns {
		s.text(" and ")
		s.column(c)
		s.text(" = ")
		s.ref(first + i)
	}
}

func (s *Statement) narrow(conditions []Condition) {
	if len(conditions) == 0 {
		return
	}
	s.text(" and (")
	s.all(conditions)
	s.text(")")
}

func (s *Statement) all(conditions []Condition) {
	if len(conditions) == 1 {
		conditions[0].write(s)
		return
	}
	group{"and", conditions}.write(s)
}

// alias returns a name for a table reference in a subquery, which no declared table
// can have.
func (s *Statement) alias() string {
	s.aliases++
	return "_" + strconv.Itoa(s.aliases)
}

// query runs s; see [each].
func (s *Statement) query(ctx context.Context, db DB, row func(pgx.Rows) error) error {
	return each(ctx, db, s.sql.String(), s.args, row)
}

// each runs a statement and passes each row to the function, until it returns an
// error.
func each(ctx context.Context, db DB, sql string, args []any, row func(pgx.Rows) error) error {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// scalars runs s, which returns one row, and scans that row.
func (s *Statement) scalars(ctx context.Context, db DB, dest ...any) error {
	return s.query(ctx, db, func(rows pgx.Rows) error { return rows.Scan(dest...) })
}

// exec runs s, which must change at most one row, and reports whether it did.
func (s *Statement) exec(ctx context.Context, db DB, verb string, t *Table) (bool, error) {
	tag, err := db.Exec(ctx, s.sql.String(), s.args...)
	if err != nil {
		return false, t.failed(verb, err)
	}
	return t.changedOne(int(tag.RowsAffected()))
}

func (t *Table) changedOne(n int) (bool, error) {
	if n > 1 {
		return false, fmt.Errorf("%w: one key changed %d rows of %s; the declared primary key is not unique", ErrTooMany, n, t.Name)
	}
	return n == 1, nil
}

// NotFound returns the error for a row that the owner does not have.
func (t *Table) NotFound() error { return fmt.Errorf("%w in %s", ErrNotFound, t.Name) }

func (t *Table) failed(verb string, err error) error {
	return &statementError{verb, t.Name, err}
}

// statementError says which statement failed. Package errs logs its verb and table.
type statementError struct {
	verb, table string
	err         error
}

func (e *statementError) Error() string { return fmt.Sprintf("owner: %s: %v", e.Describe(), e.err) }

func (e *statementError) Unwrap() error { return e.err }

// Describe returns a text such as "insert into accounts".
func (e *statementError) Describe() string { return e.verb + " " + e.table }

// Statement returns the verb and the table.
func (e *statementError) Statement() (verb, table string) { return e.verb, e.table }
