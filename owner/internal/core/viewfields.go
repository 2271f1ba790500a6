package core

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

func (v *View) fields(def *Table, problem func(string, ...any)) {
	sources := map[*Column]viewSource{}
	for i := range def.Row.NumField() {
		f := def.Row.Field(i)
		name, ok := f.Tag.Lookup("db")
		if name == "-" || !ok && !f.IsExported() {
			continue
		}
		if !ok || !f.IsExported() {
			problem(`field %s: it must be exported, and have a tag db:"column" or db:"alias.column", or db:"-"`, f.Name)
			continue
		}
		c := &Column{Table: def, Name: name, Field: f.Name, Index: f.Index, offset: f.Offset, Type: f.Type}
		c.inspect()
		src, reason := v.source(c, f.Tag.Get("owner"))
		if reason != "" {
			problem("field %s: %s", f.Name, reason)
			continue
		}
		if src.col != nil && src.col.Fixed() {
			c.takesNull = false // NULL comes only from an outer join, for which check requires a pointer
		}
		sources[c] = src
		def.Columns = append(def.Columns, c)
	}
	def.Readable = def.Columns
	v.group(def, sources)
	for _, c := range def.Columns {
		if reason := v.check(c, sources[c]); reason != "" {
			problem("field %s: %s", c.Field, reason)
		}
	}
	if len(def.Columns) == 0 {
		problem("no field is a column")
	}
	v.key(def, sources)
}

// viewSource is the source of a field of a view. col is nil for "*".
type viewSource struct {
	ref       int
	col       *Column
	aggregate string
}

func (v *View) source(c *Column, words string) (viewSource, string) {
	src := viewSource{}
	hidden := false
	if words != "" {
		for word := range strings.SplitSeq(words, ",") {
			switch word = strings.TrimSpace(word); {
			case word == "hidden":
				hidden = true
			case slices.Contains([]string{"sum", "min", "max", "avg", "count"}, word) && src.aggregate == "":
				src.aggregate = word
				v.grouped = true
			default:
				return src, fmt.Sprintf("the word %q in the owner tag is unknown, or one too many", word)
			}
		}
	}
	if c.Name == "*" {
		if src.aggregate != "count" {
			return src, `db:"*" is for owner:"count" only`
		}
		c.Quoted = "count(*)"
		return src, ""
	}
	alias, name, joined := strings.Cut(c.Name, ".")
	if !joined {
		alias, name = "", c.Name
	}
	src.ref = slices.IndexFunc(v.refs, func(r viewRef) bool { return r.alias == alias })
	if src.ref < 0 {
		return src, fmt.Sprintf("no join is called %q", alias)
	}
	t := v.refs[src.ref].table
	i := slices.IndexFunc(t.Columns, func(c *Column) bool { return c.Name == name })
	if i < 0 {
		return src, fmt.Sprintf("%s has no column %q", t.Name, name)
	}
	src.col = t.Columns[i]
	if src.col.Hidden && !hidden {
		return src, fmt.Sprintf(`column %s is hidden; to read it all the same, add a tag owner:"hidden"`, src.col)
	}
	c.Quoted = "_" + strconv.Itoa(src.ref) + "." + src.col.Quoted
	switch src.aggregate {
	case "":
	case "sum":
		c.Quoted = "coalesce(sum(" + c.Quoted + "), 0)"
	default:
		c.Quoted = src.aggregate + "(" + c.Quoted + ")"
	}
	if src.aggregate == "sum" || src.aggregate == "avg" {
		// The engines have more digits than the field: a cursor would not hold the
		// value that it is compared with.
		switch pgvalue.Elem(c.Type).Kind() {
		case reflect.Float64:
			c.Quoted = "cast(" + c.Quoted + " as float8)"
		case reflect.Float32:
			c.Quoted = "cast(" + c.Quoted + " as float4)"
		}
	}
	return src, ""
}

func (v *View) group(def *Table, sources map[*Column]viewSource) {
	if !v.grouped {
		return
	}
	var by []string
	for _, c := range def.Columns {
		if sources[c].aggregate == "" {
			by = append(by, c.Quoted)
		}
	}
	if by != nil {
		v.groupBy = " group by " + strings.Join(by, ", ")
	}
}

// check compares the type of the field with that of the column.
func (v *View) check(c *Column, src viewSource) string {
	switch src.aggregate {
	case "count":
		if !isInteger(c.Type) {
			return "a count is an integer"
		}
		return ""
	case "sum", "avg":
		if !IsNumeric(src.col.Type) || !IsNumeric(c.Type) || src.aggregate == "avg" && isInteger(pgvalue.Elem(c.Type)) {
			return fmt.Sprintf("%s of %s does not fit a %s", src.aggregate, src.col.Type, c.Type)
		}
	default:
		if c.Type != src.col.Type && c.Type != reflect.PointerTo(src.col.Type) {
			return fmt.Sprintf("it is of type %s, but column %s of type %s", c.Type, src.col, src.col.Type)
		}
	}
	outer := v.refs[src.ref].outer || src.col.Nullable || src.aggregate != "" && v.groupBy == ""
	if outer && src.aggregate != "sum" && !c.Nullable {
		return fmt.Sprintf("it may be NULL, which a %s cannot hold; use a pointer", c.Type)
	}
	return ""
}

// key finds the columns that identify the rows of the view.
func (v *View) key(def *Table, sources map[*Column]viewSource) {
	v.keyed = true
	if v.grouped {
		for _, c := range def.Columns {
			if sources[c].aggregate == "" {
				v.rowKey = append(v.rowKey, c)
			}
		}
		return
	}
	for i, r := range v.refs {
		if i > 0 && !r.many {
			continue
		}
		for _, k := range r.table.Key {
			at := slices.IndexFunc(def.Columns, func(c *Column) bool { return sources[c].ref == i && sources[c].col == k })
			if at < 0 {
				v.keyed = false
				return
			}
			v.rowKey = append(v.rowKey, def.Columns[at])
		}
	}
}
