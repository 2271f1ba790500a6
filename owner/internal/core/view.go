package core

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// MustView declares a view with rows of that type, or panics with an error that names
// everything that is wrong. options adds joins.
func MustView(row reflect.Type, base *Table, options func(v *View, problem func(string, ...any))) *Table {
	if base == nil {
		panic(Misuse("view %s: the table was not made by MustTable or MustThrough", row))
	}
	def := &Table{Name: fmt.Sprintf("%s of %s", row, base.Name), Row: row, OwnerTypes: base.OwnerTypes}
	v := &View{base: base, refs: []viewRef{{table: base}}}
	def.View = v
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	v.from = base.Quoted + " as _0"
	options(v, problem)
	switch {
	case row == base.Row:
		problem("the view needs a struct of its own")
	case row.Kind() != reflect.Struct:
		problem("the row type must be a struct")
	default:
		v.fields(def, problem)
	}
	if problems != nil {
		panic(Misuse("view %s:\n\t%s", def.Name, strings.Join(problems, "\n\t")))
	}
	def.list = list("", def.Readable)
	def.owned = base.ownedBy("_0.", 1)
	return def
}

// A View is what a view adds to a table: the tables that it joins, and how it groups
// their rows.
type View struct {
	base    *Table
	refs    []viewRef
	from    string
	grouped bool
	groupBy string
	rowKey  []*Column // the columns that identify its rows
	keyed   bool      // whether the view has all of them
}

type viewRef struct {
	table *Table
	alias string
	outer bool
	many  bool // joins children, whose key then also identifies the rows
}

func (t *Table) grouped() bool { return t.View != nil && t.View.grouped }

// something returns what to select if only the number of rows matters. A view of
// aggregates alone has one row only because of its aggregates.
func (t *Table) something() string {
	if t.grouped() && t.View.groupBy == "" {
		return "count(*)"
	}
	return "1"
}

// Distinct removes rows that are equal to others.
func (v *View) Distinct() { v.grouped = true }

// Of makes the select on a view one of the rows that a select on its table chooses.
func (q *Query) Of(rows *Query) {
	q.base, q.Grant = rows.Where, rows.Grant
	q.Fail(rows.err)
	switch {
	case q.Table == nil || rows.Table != q.Table.View.base:
		q.Fail(Misuse("Of: the select is not on the table that the view was declared for"))
	case len(rows.Order) > 0 || rows.Limited || rows.Lock.Mode != "":
		q.Fail(Misuse("view %s: order, limit and lock are the view's; leave them out of the select given to Of", q.Table.Name))
	}
}

// Join adds the rows of another table along the reference. An outer join keeps rows
// without one.
func (v *View) Join(alias string, ref *Reference, outer bool, problem func(string, ...any)) {
	switch {
	case ref == nil:
		problem("a join without a Reference made by ReferenceOf")
		return
	case alias == "" || strings.Contains(alias, ".") || slices.ContainsFunc(v.refs, func(r viewRef) bool { return r.alias == alias }):
		problem("join %q: the alias must be a new name without a dot", alias)
		return
	}
	at, toward := v.find(ref.Child), true
	if len(at) == 0 {
		at, toward = v.find(ref.Parent), false
	}
	if len(at) != 1 {
		problem("join %q: the reference fits %d tables of the view, not one", alias, len(at))
		return
	}
	added := viewRef{table: ref.Child, alias: alias, outer: outer, many: !toward}
	if toward {
		added.table = ref.Parent
	}
	if !prefixOf(added.table.OwnerTypes, v.base.OwnerTypes) {
		problem("join %q: the scope of %s does not say whose rows of %s are meant", alias, v.base.Name, added.table.Name)
	}
	verb := " join "
	if outer {
		verb = " left join "
	} else if v.refs[at[0]].outer {
		problem("join %q: it hangs on a LeftJoin, whose rows it would leave out; use LeftJoin", alias)
	}
	// The owner goes into ON: in WHERE it would turn an outer join into an inner one.
	fresh, old := "_"+strconv.Itoa(len(v.refs))+".", "_"+strconv.Itoa(at[0])+"."
	var s Statement
	ref.compareKeys(&s, toward, fresh, old)
	v.from += verb + added.table.Quoted + " as " + strings.TrimSuffix(fresh, ".") +
		" on (" + s.sql.String() + " and " + added.table.ownedBy(fresh, 1) + ")"
	v.refs = append(v.refs, added)
}

func (v *View) find(t *Table) []int {
	var at []int
	for i, r := range v.refs {
		if r.table == t {
			at = append(at, i)
		}
	}
	return at
}

func (s *Statement) fromView(q *Query) {
	v := q.Table.View
	s.aliases = len(v.refs)
	s.text(" from ", v.from, " where ")
	s.prefix = "_0."
	if q.Grant != nil {
		s.orGranted(q)
	} else {
		s.text(q.Table.owned)
	}
	s.narrow(q.base)
	s.prefix = ""
	q.Lock.hold(s, v.base, "_0.")
	if !v.grouped {
		s.narrow(q.Where)
		return
	}
	s.text(v.groupBy)
	if len(q.Where) > 0 {
		s.text(" having (")
		s.all(q.Where)
		s.text(")")
	}
}
