package owner

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// A View reads columns of a table's rows, and of rows related to them, into another
// struct. It is read-only. Make one with [MustView], and columns for its conditions and
// orders with [Column].
type View[V, B any, O comparable] struct {
	_   [0]func(V, B, O)
	def *table
}

func (v *View[V, B, O]) declared(V) *table {
	if v == nil {
		return nil
	}
	return v.def
}

// In returns the select of the view on the rows of the scope's owner.
func (v *View[V, B, O]) In(scope Scope[O]) Select[V, O] {
	var s Select[V, O]
	s.q.id = scope.id
	if v != nil {
		s.q.table = v.def
	}
	return s
}

// Of returns the view of the rows that a select on its table chooses. Conditions on
// the table can name columns that the view does not have. In a view that groups rows
// they apply before the grouping.
func (v *View[V, B, O]) Of(rows Select[B, O]) Select[V, O] {
	s := v.In(Scope[O]{id: rows.q.id})
	s.q.base, s.q.granted = rows.q.where, rows.q.granted
	s.q.fail(rows.q.err)
	switch {
	case v == nil || rows.q.table != v.def.view.base:
		s.q.fail(misuse("Of: the select is not on the table that the view was declared for"))
	case len(rows.q.order) > 0 || rows.q.limited || rows.q.lock.mode != "":
		s.q.fail(misuse("view %s: order, limit and lock are the view's; leave them out of the select given to Of", v.def.name))
	}
	return s
}

// A ViewOption is a part of the declaration of a [View]. [Join], [LeftJoin] and
// [Distinct] make one. A nil option is an error of the declaration.
type ViewOption interface {
	declareIn(v *view, problem func(string, ...any))
}

type viewOption func(v *view, problem func(string, ...any))

func (o viewOption) declareIn(v *view, problem func(string, ...any)) { o(v, problem) }

// Join adds the rows at the other end of a reference: the parent of rows that the
// view has already, or otherwise their children. Rows without one are left out. The
// view's fields call the added columns "alias.column". Only rows of the owner are
// joined.
func Join[C, P any](alias string, ref Reference[C, P]) ViewOption {
	return viewOption(func(v *view, problem func(string, ...any)) { v.join(alias, ref.ref, false, problem) })
}

// LeftJoin is like [Join], but keeps rows without one, with NULL in the added
// columns. The view's fields for these must be pointers or other types that can hold
// NULL.
func LeftJoin[C, P any](alias string, ref Reference[C, P]) ViewOption {
	return viewOption(func(v *view, problem func(string, ...any)) { v.join(alias, ref.ref, true, problem) })
}

// Distinct removes rows of the view that are equal to others.
func Distinct() ViewOption {
	return viewOption(func(v *view, _ func(string, ...any)) { v.grouped = true })
}

// MustView declares a view. The fields of V have tags db:"column" for columns of the
// table and db:"alias.column" for those of a [Join]. Their types are those of the
// columns, or pointers to them. A tag owner adds:
//
//	sum, min, max, avg, count   over the rows that are equal in all other fields;
//	                            count also with db:"*"
//	hidden                      read a column that the table hides
//
// With one of the first five, rows are grouped by the fields that have none, and
// conditions on the view's columns are about the groups (HAVING). sum of no rows is
// 0; min, max and avg of no rows are NULL.
//
// If the declaration is wrong, MustView panics with an error that names everything
// that is wrong with it.
func MustView[V, B any, O comparable](of *Table[B, O], options ...ViewOption) *View[V, B, O] {
	var base *table
	if of != nil {
		base = of.def
	}
	return &View[V, B, O]{def: declareView(reflect.TypeFor[V](), base, options)}
}

// declareView declares a view with rows of that type, or panics. It does not depend on
// the type, so the compiler builds it once.
func declareView(row reflect.Type, base *table, options []ViewOption) *table {
	if base == nil {
		panic(misuse("view %s: the table was not made by MustTable or MustThrough", row))
	}
	def := &table{name: fmt.Sprintf("%s of %s", row, base.name), row: row, ownerTypes: base.ownerTypes}
	v := &view{base: base, refs: []viewRef{{table: base}}}
	def.view = v
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	v.from = base.quoted + " as _0"
	for _, o := range options {
		if o == nil {
			problem("an option is nil")
			continue
		}
		o.declareIn(v, problem)
	}
	switch {
	case row == base.row:
		problem("the view needs a struct of its own")
	case row.Kind() != reflect.Struct:
		problem("the row type must be a struct")
	default:
		v.fields(def, problem)
	}
	if problems != nil {
		panic(misuse("view %s:\n\t%s", def.name, strings.Join(problems, "\n\t")))
	}
	def.list = list("", def.readable)
	def.owned = base.ownedBy("_0.", 1)
	return def
}

type view struct {
	base    *table
	refs    []viewRef
	from    string
	grouped bool
	groupBy string
	rowKey  []*column // the columns that identify its rows
	keyed   bool      // whether the view has all of them
}

type viewRef struct {
	table *table
	alias string
	outer bool
	many  bool // joins children, whose key then also identifies the rows
}

func (t *table) grouped() bool { return t.view != nil && t.view.grouped }

// something returns what to select if only the number of rows matters. A view of
// aggregates alone has one row only because of its aggregates.
func (t *table) something() string {
	if t.grouped() && t.view.groupBy == "" {
		return "count(*)"
	}
	return "1"
}

func (v *view) join(alias string, ref *reference, outer bool, problem func(string, ...any)) {
	switch {
	case ref == nil:
		problem("a join without a Reference made by ReferenceOf")
		return
	case alias == "" || strings.Contains(alias, ".") || slices.ContainsFunc(v.refs, func(r viewRef) bool { return r.alias == alias }):
		problem("join %q: the alias must be a new name without a dot", alias)
		return
	}
	at, toward := v.find(ref.child), true
	if len(at) == 0 {
		at, toward = v.find(ref.parent), false
	}
	if len(at) != 1 {
		problem("join %q: the reference fits %d tables of the view, not one", alias, len(at))
		return
	}
	added := viewRef{table: ref.child, alias: alias, outer: outer, many: !toward}
	if toward {
		added.table = ref.parent
	}
	if !prefixOf(added.table.ownerTypes, v.base.ownerTypes) {
		problem("join %q: the scope of %s does not say whose rows of %s are meant", alias, v.base.name, added.table.name)
	}
	verb := " join "
	if outer {
		verb = " left join "
	} else if v.refs[at[0]].outer {
		problem("join %q: it hangs on a LeftJoin, whose rows it would leave out; use LeftJoin", alias)
	}
	// The owner goes into ON: in WHERE it would turn an outer join into an inner one.
	fresh, old := "_"+strconv.Itoa(len(v.refs))+".", "_"+strconv.Itoa(at[0])+"."
	var s statement
	ref.compareKeys(&s, toward, fresh, old)
	v.from += verb + added.table.quoted + " as " + strings.TrimSuffix(fresh, ".") +
		" on (" + s.sql.String() + " and " + added.table.ownedBy(fresh, 1) + ")"
	v.refs = append(v.refs, added)
}

func (v *view) find(t *table) []int {
	var at []int
	for i, r := range v.refs {
		if r.table == t {
			at = append(at, i)
		}
	}
	return at
}

func (v *view) fields(def *table, problem func(string, ...any)) {
	sources := map[*column]viewSource{}
	for i := range def.row.NumField() {
		f := def.row.Field(i)
		name, ok := f.Tag.Lookup("db")
		if name == "-" || !ok && !f.IsExported() {
			continue
		}
		if !ok || !f.IsExported() {
			problem(`field %s: it must be exported, and have a tag db:"column" or db:"alias.column", or db:"-"`, f.Name)
			continue
		}
		c := &column{table: def, name: name, field: f.Name, index: f.Index, offset: f.Offset, typ: f.Type}
		c.inspect()
		src, reason := v.source(c, f.Tag.Get("owner"))
		if reason != "" {
			problem("field %s: %s", f.Name, reason)
			continue
		}
		if src.col != nil && src.col.fixed() {
			c.takesNull = false // NULL comes only from an outer join, for which check requires a pointer
		}
		sources[c] = src
		def.columns = append(def.columns, c)
	}
	def.readable = def.columns
	v.group(def, sources)
	for _, c := range def.columns {
		if reason := v.check(c, sources[c]); reason != "" {
			problem("field %s: %s", c.field, reason)
		}
	}
	if len(def.columns) == 0 {
		problem("no field is a column")
	}
	v.key(def, sources)
}

// viewSource is the source of a field of a view. col is nil for "*".
type viewSource struct {
	ref       int
	col       *column
	aggregate string
}

func (v *view) source(c *column, words string) (viewSource, string) {
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
	if c.name == "*" {
		if src.aggregate != "count" {
			return src, `db:"*" is for owner:"count" only`
		}
		c.quoted = "count(*)"
		return src, ""
	}
	alias, name, joined := strings.Cut(c.name, ".")
	if !joined {
		alias, name = "", c.name
	}
	src.ref = slices.IndexFunc(v.refs, func(r viewRef) bool { return r.alias == alias })
	if src.ref < 0 {
		return src, fmt.Sprintf("no join is called %q", alias)
	}
	t := v.refs[src.ref].table
	i := slices.IndexFunc(t.columns, func(c *column) bool { return c.name == name })
	if i < 0 {
		return src, fmt.Sprintf("%s has no column %q", t.name, name)
	}
	src.col = t.columns[i]
	if src.col.hidden && !hidden {
		return src, fmt.Sprintf(`column %s is hidden; to read it all the same, add a tag owner:"hidden"`, src.col)
	}
	c.quoted = "_" + strconv.Itoa(src.ref) + "." + src.col.quoted
	switch src.aggregate {
	case "":
	case "sum":
		c.quoted = "coalesce(sum(" + c.quoted + "), 0)"
	default:
		c.quoted = src.aggregate + "(" + c.quoted + ")"
	}
	if src.aggregate == "sum" || src.aggregate == "avg" {
		// The engines have more digits than the field: a cursor would not hold the
		// value that it is compared with.
		switch pgvalue.Elem(c.typ).Kind() {
		case reflect.Float64:
			c.quoted = "cast(" + c.quoted + " as float8)"
		case reflect.Float32:
			c.quoted = "cast(" + c.quoted + " as float4)"
		}
	}
	return src, ""
}

func (v *view) group(def *table, sources map[*column]viewSource) {
	if !v.grouped {
		return
	}
	var by []string
	for _, c := range def.columns {
		if sources[c].aggregate == "" {
			by = append(by, c.quoted)
		}
	}
	if by != nil {
		v.groupBy = " group by " + strings.Join(by, ", ")
	}
}

// check compares the type of the field with that of the column.
func (v *view) check(c *column, src viewSource) string {
	switch src.aggregate {
	case "count":
		if !isInteger(c.typ) {
			return "a count is an integer"
		}
		return ""
	case "sum", "avg":
		if !isNumeric(src.col.typ) || !isNumeric(c.typ) || src.aggregate == "avg" && isInteger(pgvalue.Elem(c.typ)) {
			return fmt.Sprintf("%s of %s does not fit a %s", src.aggregate, src.col.typ, c.typ)
		}
	default:
		if c.typ != src.col.typ && c.typ != reflect.PointerTo(src.col.typ) {
			return fmt.Sprintf("it is of type %s, but column %s of type %s", c.typ, src.col, src.col.typ)
		}
	}
	outer := v.refs[src.ref].outer || src.col.nullable || src.aggregate != "" && v.groupBy == ""
	if outer && src.aggregate != "sum" && !c.nullable {
		return fmt.Sprintf("it may be NULL, which a %s cannot hold; use a pointer", c.typ)
	}
	return ""
}

// key finds the columns that identify the rows of the view.
func (v *view) key(def *table, sources map[*column]viewSource) {
	v.keyed = true
	if v.grouped {
		for _, c := range def.columns {
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
		for _, k := range r.table.key {
			at := slices.IndexFunc(def.columns, func(c *column) bool { return sources[c].ref == i && sources[c].col == k })
			if at < 0 {
				v.keyed = false
				return
			}
			v.rowKey = append(v.rowKey, def.columns[at])
		}
	}
}

func (s *statement) fromView(q *query) {
	v := q.table.view
	s.aliases = len(v.refs)
	s.text(" from ", v.from, " where ")
	s.prefix = "_0."
	if q.granted != nil {
		s.orGranted(q)
	} else {
		s.text(q.table.owned)
	}
	s.narrow(q.base)
	s.prefix = ""
	q.lock.hold(s, v.base, "_0.")
	if !v.grouped {
		s.narrow(q.where)
		return
	}
	s.text(v.groupBy)
	if len(q.where) > 0 {
		s.text(" having (")
		s.all(q.where)
		s.text(")")
	}
}
