package ownertest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/access"
	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// The SQL here is independent of package owner, whose mistakes it has to find.

// owned returns the condition that a row, called by the alias, belongs to the owner
// whose values are the parameters.
func owned(def *core.Table, alias string) string {
	var terms []string
	if def.Through == nil {
		for i, c := range def.Owners {
			terms = append(terms, fmt.Sprintf("%s.%s = $%d", alias, c.Quoted, i+1))
		}
		return strings.Join(terms, " and ")
	}
	parent := alias + "_"
	for i, c := range def.Parent {
		terms = append(terms, fmt.Sprintf("%s.%s", parent, def.Through.Key[i].Quoted)+" = "+alias+"."+c.Quoted)
	}
	terms = append(terms, owned(def.Through, parent))
	return "exists (select * from " + def.Through.Quoted + " " + parent + " where " + strings.Join(terms, " and ") + ")"
}

// values returns the values of an owner, as the database gets them: of a Member the
// tenant and the user.
func values[O comparable](who owner.Scope[O]) []any {
	id := access.Owner.Identity(who)
	return id.Arg[:id.N]
}

// load returns an owner's rows in the order of their keys.
func load[R any, O comparable](ctx context.Context, tx pgx.Tx, def *core.Table, who owner.Scope[O]) ([]any, error) {
	args := values(who)
	quoted := func(columns []*core.Column) string {
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = "r." + c.Quoted
		}
		return strings.Join(names, ", ")
	}
	order := ""
	if len(def.Key) > 0 {
		order = " order by " + quoted(def.Key)
	}
	rows, err := tx.Query(ctx, "select "+quoted(def.Columns)+" from "+def.Quoted+" r where "+owned(def, "r")+order, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []any
	for rows.Next() {
		row := new(R)
		fields := make([]any, len(def.Columns))
		for i, c := range def.Columns {
			fields[i] = reflect.ValueOf(row).Elem().FieldByIndex(c.Index).Addr().Interface()
		}
		if err := rows.Scan(fields...); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// fingerprint returns all of the stranger's rows as text, including columns that are
// not declared.
func (w *world[O]) fingerprint(ctx context.Context, tx pgx.Tx) ([]string, error) {
	args := append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, values(w.stranger)...)
	var out []string
	for _, s := range w.subjects {
		if s.def == nil {
			continue
		}
		rows, err := tx.Query(ctx, "select r.* from "+s.def.Quoted+" r where "+owned(s.def, "r"), args...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		for rows.Next() {
			text := s.name + ":"
			for i, f := range rows.FieldDescriptions() {
				if v := rows.RawValues()[i]; v == nil {
					text += fmt.Sprintf(" %s=NULL", f.Name)
				} else {
					text += fmt.Sprintf(" %s=%q", f.Name, v)
				}
			}
			out = append(out, text)
		}
		if rows.Err() != nil {
			return nil, fmt.Errorf("%s: %w", s.name, rows.Err())
		}
	}
	slices.Sort(out)
	return out, nil
}

// difference describes how the second fingerprint differs from the first, or returns
// "".
func difference(before, after []string) string {
	if slices.Equal(before, after) {
		return ""
	}
	without := func(a, b []string) (out []string) {
		b = slices.Clone(b)
		for _, s := range a {
			if i := slices.Index(b, s); i >= 0 {
				b = slices.Delete(b, i, i+1)
			} else {
				out = append(out, s)
			}
		}
		return out
	}
	return fmt.Sprintf("before [%s], after [%s]", strings.Join(without(before, after), "; "), strings.Join(without(after, before), "; "))
}

// index is a unique index of a table.
type index struct {
	name    string
	primary bool
	columns []string
}

// uniqueIndexes returns the unique indexes of a table; a view has none.
func uniqueIndexes(ctx context.Context, tx pgx.Tx, def *core.Table) ([]index, error) {
	schema, name, ok := strings.Cut(def.Name, ".")
	if !ok {
		schema, name = "", def.Name
	}
	rows, err := tx.Query(ctx, `
select ic.relname, i.indisprimary, a.attname
from pg_catalog.pg_index i
join pg_catalog.pg_class ic on ic.oid = i.indexrelid
join pg_catalog.pg_class tc on tc.oid = i.indrelid
join pg_catalog.pg_namespace n on n.oid = tc.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey::int2[])
where i.indisunique and tc.relname = $1 and (n.nspname = $2 or $2 = '' and pg_catalog.pg_table_is_visible(tc.oid))
order by ic.relname, a.attnum`, name, schema)
	if err != nil {
		return nil, err
	}
	var out []index
	var one index
	var column string
	_, err = pgx.ForEachRow(rows, []any{&one.name, &one.primary, &column}, func() error {
		if n := len(out); n == 0 || out[n-1].name != one.name {
			out = append(out, index{name: one.name, primary: one.primary})
		}
		last := &out[len(out)-1]
		last.columns = append(last.columns, column)
		return nil
	})
	return out, err
}

// accepted returns the names of constraints that may reveal a row.
func accepted(names []string, of []index) []string {
	out := slices.Clone(names)
	if slices.Contains(names, PrimaryKey) {
		for _, i := range of {
			if i.primary {
				out = append(out, i.name)
			}
		}
	}
	return out
}
