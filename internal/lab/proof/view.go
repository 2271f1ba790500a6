package main

import (
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

// view is a view, with the function by which the oracle builds its rows.
type view[V, B any, O comparable] struct {
	entity[V, O] // its columns; nothing else of a table
	built        *owner.View[V, B, O]
	base         *entity[B, O]
	joins        []join // the first one is the base
	columns      []viewColumn
	grouped      bool
	reveal       []prove.Revealed
}

// join is a table of a view. The oracle finds its rows by those of the tables
// before it. All rows are pointers to them, and nil if an outer join has none.
type join struct {
	alias   string
	option  owner.ViewOption
	outer   bool
	many    bool
	table   *prove.Table
	rows    func(of []any, who actor) []any
	columns []joinColumn
}

type joinColumn struct {
	name   string
	hidden bool
	key    bool
	at     func(row any) any // the address of its value
}

type viewColumn struct {
	join      int
	at        func(row any) any // nil for count(*)
	aggregate string            // or ""
}

func (e *entity[R, O]) joinColumns() (out []joinColumn) {
	for _, f := range e.fields {
		out = append(out, joinColumn{name: f.name, hidden: f.hidden, key: f.pk && !f.owner, at: func(row any) any { return f.at(row.(*R)) }})
	}
	return out
}

// toParent joins the rows that the rows of the join at that place point at.
func (l linkage[C, P, O, Q]) toParent(alias string, at int, outer bool) join {
	return join{
		alias: alias, option: viewJoin(alias, l.ref, outer), outer: outer, table: l.parent.model, columns: l.parent.joinColumns(),
		rows: func(of []any, who actor) (found []any) {
			child, ok := of[at].(*C)
			for i := range l.parent.rows {
				if p := &l.parent.rows[i]; ok && l.parent.owns(p, who) && l.points(child, p) {
					found = append(found, p)
				}
			}
			return found
		},
	}
}

// toChildren joins the rows that point at the rows of the join at that place.
func (l linkage[C, P, O, Q]) toChildren(alias string, at int, outer bool) join {
	return join{
		alias: alias, option: viewJoin(alias, l.ref, outer), outer: outer, many: true, table: l.child.model, columns: l.child.joinColumns(),
		rows: func(of []any, who actor) (found []any) {
			parent, ok := of[at].(*P)
			for i := range l.child.rows {
				if c := &l.child.rows[i]; ok && l.child.owns(c, who) && l.points(c, parent) {
					found = append(found, c)
				}
			}
			return found
		},
	}
}

func viewJoin[C, P any](alias string, ref owner.Reference[C, P], outer bool) owner.ViewOption {
	if outer {
		return owner.LeftJoin(alias, ref)
	}
	return owner.Join(alias, ref)
}

func newView[V, B any, O comparable](base *entity[B, O], distinct bool, joins ...join) *view[V, B, O] {
	v := &view[V, B, O]{base: base, grouped: distinct}
	v.w, v.model, v.args = base.w, &prove.Table{Name: fmt.Sprintf("%T", *new(V))}, base.args
	v.owns = func(*V, actor) bool { return true }
	v.joins = append([]join{{table: base.model, columns: base.joinColumns()}}, joins...)
	var options []owner.ViewOption
	for _, j := range joins {
		options = append(options, j.option)
	}
	if distinct {
		options = append(options, owner.Distinct())
	}
	v.built = owner.MustView[V](base.table, options...)
	return v
}

// addViewField declares a column of the view. Columns come in the order of the
// struct's fields.
func addViewField[V, B any, O comparable, T any](v *view[V, B, O], at func(*V) *T, draw func(*source) T) {
	f := &v.fields[addColumn(&v.entity, owner.Column(v.built, at), "", at, draw)]
	f.hidden = false
	c := viewColumn{}
	for _, word := range strings.Split(f.words, ",") {
		if word != "" && word != "hidden" {
			c.aggregate, v.grouped = word, true
		}
	}
	alias, name, joined := strings.Cut(f.name, ".")
	if !joined {
		alias, name = "", f.name
	}
	if name != "*" {
		c.join = slices.IndexFunc(v.joins, func(j join) bool { return j.alias == alias })
		j := v.joins[c.join]
		i := slices.IndexFunc(j.columns, func(c joinColumn) bool { return c.name == name })
		c.at = j.columns[i].at
		if j.columns[i].hidden {
			v.reveal = append(v.reveal, prove.Revealed{Table: j.table, Column: name})
		}
	}
	v.columns = append(v.columns, c)
}

// rowKey returns the fields that identify a row, or nil if the view lacks one of
// them.
func (v *view[V, B, O]) rowKey() []int {
	out := []int{}
	if v.grouped {
		for i, c := range v.columns {
			if c.aggregate == "" {
				out = append(out, i)
			}
		}
		return out
	}
	for at, j := range v.joins {
		for _, k := range j.columns {
			if !k.key || at > 0 && !j.many {
				continue
			}
			i := slices.IndexFunc(v.fields, func(f field[V]) bool { return f.name == strings.TrimPrefix(j.alias+"."+k.name, ".") })
			if i < 0 {
				return nil
			}
			out = append(out, i)
		}
	}
	return out
}

// register adds the view's calls to the world's.
func (v *view[V, B, O]) register() {
	key := v.rowKey()
	of := func(s *source, who actor) reading[V, O] { return v.reading(s, who, key) }
	v.w.ops = append(v.w.ops, func(s *source, who actor) *operation {
		r := of(s, who)
		op := pick(s, r.e.reads(func(*source, actor) owner.Select[V, O] { return r.in(who) })...)(s, who)
		op.misuse = op.misuse || op.kind == "get" || v.grouped && op.tx
		r.finish(op)
		return op
	})
	v.w.ops = append(v.w.ops, readings(of)...)
}

// reading returns the view of all rows, or of those that a select on its table
// chooses.
func (v *view[V, B, O]) reading(s *source, who actor, key []int) reading[V, O] {
	own := v.entity // with the rows of this call
	r := reading[V, O]{e: &own, who: who, kind: "view ", key: key, keyless: key == nil, grouped: v.grouped}
	r.claim = v.base.claim(prove.Read, who)
	r.claim.Reveal = v.reveal
	where := combined(owner.And[B], nil, no)
	r.in = func(a actor) owner.Select[V, O] { return v.built.In(v.base.scope(a)) }
	if s.one(2) {
		parts := v.base.conditions(s, s.n(4), 3)
		where = combined(owner.And[B], parts, no)
		r.misuse = where.misuse
		sorted := s.one(30)
		r.misuse = r.misuse || sorted
		r.in = func(a actor) owner.Select[V, O] {
			of := v.base.table.In(v.base.scope(a)).Where(built(parts)...)
			if sorted {
				of = of.OrderBy(v.base.fields[0].sort(false))
			}
			return v.built.Of(of)
		}
	}
	r.fill = func(cr bool) (loose bool) {
		own.rows, loose = v.rowsFor(who, where, cr)
		return loose
	}
	return r
}

// rowsFor returns the rows of the view. If loose, they hold a sum that the oracle
// cannot predict.
func (v *view[V, B, O]) rowsFor(who actor, where condition[B], cr bool) (rows []V, loose bool) {
	var joined [][]any
	for i := range v.base.rows {
		if b := &v.base.rows[i]; v.base.owns(b, who) && where.eval(b, who, cr) == yes {
			joined = append(joined, []any{b})
		}
	}
	for _, j := range v.joins[1:] {
		var next [][]any
		for _, of := range joined {
			found := j.rows(of, who)
			if len(found) == 0 && j.outer {
				found = []any{nil}
			}
			for _, row := range found {
				next = append(next, append(slices.Clip(of), row))
			}
		}
		joined = next
	}
	groups := make([][][]any, 0, len(joined))
	if !v.grouped {
		for _, of := range joined {
			groups = append(groups, [][]any{of})
		}
	} else {
		groups = v.groups(joined)
	}
	for _, group := range groups {
		var row V
		for i, c := range v.columns {
			loose = v.put(&row, i, c, group, cr) || loose
		}
		rows = append(rows, row)
	}
	return rows, loose
}

// groups combines rows that are equal in all columns that are no aggregates.
// Without such a column there is one group, even of nothing.
func (v *view[V, B, O]) groups(joined [][]any) (groups [][][]any) {
	at := map[string]int{}
	if !slices.ContainsFunc(v.columns, func(c viewColumn) bool { return c.aggregate == "" }) {
		return [][][]any{joined}
	}
	for _, of := range joined {
		var key strings.Builder
		for _, c := range v.columns {
			if c.aggregate == "" {
				fmt.Fprintf(&key, "%#v|", c.value(of))
			}
		}
		i, ok := at[key.String()]
		if !ok {
			i = len(groups)
			at[key.String()] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], of)
	}
	return groups
}

// value returns the value that the oracle compares, nil for NULL.
func (c viewColumn) value(of []any) any {
	if c.at == nil {
		return int64(1) // count(*) counts it
	}
	if of[c.join] == nil {
		return nil
	}
	return value(reflectValue(c.at(of[c.join])))
}

// put sets a field. If loose, the engines may have another value.
func (v *view[V, B, O]) put(row *V, field int, c viewColumn, group [][]any, cr bool) (loose bool) {
	to := reflect.ValueOf(v.fields[field].at(row)).Elem()
	var result any
	if c.aggregate == "" {
		result = c.value(group[0])
	} else {
		var values []any
		for _, of := range group {
			values = append(values, c.value(of))
		}
		result, loose = fold(c.aggregate, values, cr)
	}
	if result == nil {
		return loose
	}
	if to.Kind() == reflect.Pointer {
		to.Set(reflect.New(to.Type().Elem()))
		to = to.Elem()
	}
	switch x := result.(type) {
	case *big.Rat:
		if to.CanFloat() {
			f, _ := x.Float64()
			to.SetFloat(f)
			return loose
		}
		loose = loose || !x.Num().IsInt64() || to.OverflowInt(x.Num().Int64())
		to.SetInt(x.Num().Int64())
	case int64:
		to.SetInt(x)
	case float64:
		to.SetFloat(x)
	case string:
		to.SetString(x)
	case bool:
		to.SetBool(x)
	}
	return loose
}
