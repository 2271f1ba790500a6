package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
)

func (e *entity[R, O]) quoted() string { return pgx.Identifier{e.model.Name}.Sanitize() }

func (e *entity[R, O]) names(fields []int) string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = pgx.Identifier{e.fields[f].name}.Sanitize()
	}
	return strings.Join(out, ", ")
}

func (e *entity[R, O]) allFields() (out []int) {
	for i := range e.fields {
		out = append(out, i)
	}
	return out
}

// ddl returns the statements that create the table. Text is compared byte by byte,
// as the oracle does.
func (e *entity[R, O]) ddl(cockroach bool) string {
	var b strings.Builder
	b.WriteString("create table " + e.quoted() + " (")
	for i, f := range e.fields {
		b.WriteString(e.names([]int{i}) + " " + f.sqlOf)
		if f.sqlOf == "text" && !cockroach {
			b.WriteString(` collate "C"`)
		}
		if isID(f) {
			b.WriteString(" default nextval('ids')")
		}
		if f.get(new(R)) != nil {
			b.WriteString(" not null")
		}
		b.WriteString(", ")
	}
	unique := e.uniques()
	b.WriteString("primary key (" + e.names(unique[0]) + ")")
	for _, fields := range unique[1:] {
		b.WriteString(", unique (" + e.names(fields) + ")")
	}
	return b.String() + ")"
}

// load reads the whole table, without the package under test.
func (e *entity[R, O]) load(ctx context.Context, db owner.DB) ([]string, error) {
	rows, err := db.Query(ctx, "select "+e.names(e.allFields())+" from "+e.quoted())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var r R
		to := make([]any, len(e.fields))
		for i, f := range e.fields {
			to[i] = f.at(&r)
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		out = append(out, e.show(&r, true))
	}
	slices.Sort(out)
	return out, rows.Err()
}

func (e *entity[R, O]) known() []string {
	out := e.shown(e.rows, true)
	slices.Sort(out)
	return out
}

// fill gives the table new rows, some for each actor.
func (e *entity[R, O]) fill(ctx context.Context, db owner.DB, s *source) error {
	if _, err := db.Exec(ctx, "delete from "+e.quoted()); err != nil {
		return err
	}
	e.rows = nil
	for i := range 12 {
		var r R
		for j := range e.fields {
			e.fields[j].put(&r, e.fields[j].draw(s))
		}
		e.give(&r, e.w.actors[i%len(e.w.actors)])
		if !storable(e.values(&r)) || e.twice(append(slices.Clone(e.rows), r)) {
			continue
		}
		marks := make([]string, len(e.fields))
		for j := range marks {
			marks[j] = fmt.Sprintf("$%d", j+1)
		}
		sql := "insert into " + e.quoted() + " (" + e.names(e.allFields()) + ") values (" + strings.Join(marks, ", ") + ")"
		if _, err := db.Exec(ctx, sql, e.values(&r)...); err != nil {
			return err
		}
		e.rows = append(e.rows, r)
	}
	return nil
}

func (e *entity[R, O]) values(r *R) []any {
	out := make([]any, len(e.fields))
	for i, f := range e.fields {
		out[i] = f.get(r)
	}
	return out
}

// storable reports whether the engines can hold all texts.
func storable(args []any) bool {
	return !slices.ContainsFunc(args, func(arg any) bool {
		var text string
		switch v := arg.(type) {
		case string:
			text = v
		case *string:
			if v != nil {
				text = *v
			}
		case tenantID:
			text = string(v)
		}
		return strings.ContainsRune(text, 0) || !validText(text)
	})
}
