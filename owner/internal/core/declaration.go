package core

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/strictjson"
	"github.com/rowkeeper/rowkeeper/owner/internal/identifier"
)

// A Declaration is a table that is being declared. Nothing outside the table changes
// before it is known to be right.
type Declaration struct {
	Table    *Table
	problems []string
	awaits   []awaiting
	defines  []*Forward
}

// Problem adds to what is wrong with the declaration.
func (d *Declaration) Problem(format string, args ...any) {
	d.problems = append(d.problems, fmt.Sprintf(format, args...))
}

// MustDeclare completes the declaration of a table of that name with rows of that type,
// or panics with an error that names everything that is wrong. t says whose the rows are:
// it has the types of the owner and the parent, or is shared. options adds to the
// declaration when the columns are known.
func MustDeclare(name string, row reflect.Type, t *Table, options func(*Declaration)) *Table {
	t.Name, t.Row = name, row
	d := &Declaration{Table: t}
	d.checkName(strings.Split(name, "."))
	for _, own := range t.OwnerTypes {
		if reason := unfitType(own); reason != "" && t.Through == nil {
			d.Problem("%s", reason)
		}
	}
	if row.Kind() != reflect.Struct {
		d.Problem("the row type must be a struct")
	} else {
		d.checkRow(options)
	}
	if d.problems != nil {
		panic(Misuse("table %q of %s:\n\t%s", name, row, strings.Join(d.problems, "\n\t")))
	}
	d.finish()
	t.prepare()
	return t
}

// checkName checks the name of the table, and quotes it.
func (d *Declaration) checkName(parts []string) {
	problem := d.Problem
	if len(parts) > 2 || slices.Contains(parts, "") {
		problem(`the name must be "table" or "schema.table"`)
	}
	if slices.ContainsFunc(parts, func(part string) bool { return len(part) > identifier.Max }) {
		problem("the name is longer than %d bytes, of which PostgreSQL keeps no more", identifier.Max)
	}
	if slices.ContainsFunc(parts, func(part string) bool { return strings.ContainsRune(part, 0) }) {
		problem("the name has a NUL in it, which no database keeps")
	}
	last := parts[len(parts)-1]
	if reserved(last) {
		problem("the name %s is one that statements give to parts of their own", last)
	}
	d.Table.Quoted, d.Table.Ref = pgx.Identifier(parts).Sanitize(), pgx.Identifier{last}.Sanitize()+"."
}

// checkRow makes the columns from the fields of the row, and applies the options.
func (d *Declaration) checkRow(options func(*Declaration)) {
	t := d.Table
	t.addFields(t.Row, nil, 0, d.Problem)
	for name, f := range strictjson.Fields(t.Row) {
		for _, c := range t.Columns {
			if slices.Equal(c.Index, f.Index) {
				c.JSON = name
			}
		}
	}
	t.checkColumns(d.Problem)
	if t.Through != nil {
		t.foreignKeys = []*Reference{{Child: t, Parent: t.Through, From: t.Parent}}
	}
	options(d)
	for _, f := range d.defines {
		d.checkAwaited(f)
	}
}

// prepare writes the texts that many statements share.
func (t *Table) prepare() {
	for _, c := range t.Columns {
		if !c.Hidden {
			t.Readable = append(t.Readable, c)
		}
	}
	t.list = list("", t.Readable)
	t.owned = t.ownedBy("", 1)
	t.selectAll = "select " + t.list + " from " + t.Quoted + " where " + t.owned
	var byKey Statement
	byKey.text(t.selectAll)
	byKey.and(t.Key, len(t.OwnerTypes)+1)
	t.selectByKey = byKey.sql.String()
}

// reserved reports whether statements use the name for themselves: an underscore
// followed by digits, the letter p or one other letter.
func reserved(name string) bool {
	rest, ok := strings.CutPrefix(name, "_")
	return ok && rest != "" && (strings.Trim(rest, "0123456789") == "" || strings.Trim(rest, "p") == "" || rest == "n" || rest == "w")
}
