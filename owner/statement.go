package owner

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// statement is a statement in the making. Its first argument is always the
// owner. (pgx takes some types of leading arguments for options of its own: For
// refuses them, and no other value ever comes first.)
type statement struct {
	sql  strings.Builder
	args []any
}

func newStatement(owner any) *statement {
	return &statement{args: []any{owner}}
}

func (s *statement) text(parts ...string) {
	for _, part := range parts {
		s.sql.WriteString(part)
	}
}

func (s *statement) param(arg any) {
	s.args = append(s.args, arg)
	s.ref(len(s.args))
}

func (s *statement) ref(n int) { s.text("$", strconv.Itoa(n)) }

// where writes the WHERE clause. The owner comes first, and everything that the
// caller chose is ANDed to it: it can only narrow.
func (s *statement) where(t *table, key []any, condition node) {
	s.text(" where ", t.owner.quoted, " = $1")
	for i, arg := range key {
		s.text(" and ", t.key[i].quoted, " = ")
		s.param(arg)
	}
	if condition != nil {
		s.text(" and (")
		condition.write(s)
		s.text(")")
	}
}

// fields are the addresses of a row's columns, to scan into.
func (t *table) fields(row any) []any {
	v := reflect.ValueOf(row).Elem()
	fields := make([]any, len(t.columns))
	for i, c := range t.columns {
		fields[i] = v.FieldByIndex(c.index).Addr().Interface()
	}
	return fields
}

// query runs s and hands each row to the function, until it returns an error.
func (s *statement) query(ctx context.Context, db DB, row func(pgx.Rows) error) error {
	rows, err := db.Query(ctx, s.sql.String(), s.args...)
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

// exec runs s, which must change exactly one row.
func (s *statement) exec(ctx context.Context, db DB, verb string, t *table) error {
	tag, err := db.Exec(ctx, s.sql.String(), s.args...)
	switch n := tag.RowsAffected(); {
	case err != nil:
		return t.failed(verb, err)
	case n == 0:
		return t.notFound()
	case n > 1:
		return fmt.Errorf("%w: one key changed %d rows of %s; the declared primary key is not unique", ErrTooMany, n, t.name)
	}
	return nil
}

func (t *table) notFound() error { return fmt.Errorf("%w in %s", ErrNotFound, t.name) }

func (t *table) failed(verb string, err error) error {
	return fmt.Errorf("owner: %s %s: %w", verb, t.name, err)
}
