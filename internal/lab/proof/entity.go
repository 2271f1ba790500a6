package main

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

// actor is a user of a tenant, who acts.
type actor struct {
	user   userID
	tenant tenantID
}

// entity is a table with everything needed to act on it, to prove the statements
// sent, and to predict their effect.
type entity[R any, O comparable] struct {
	w      *world
	model  *prove.Table
	table  *owner.Table[R, O]
	scope  func(actor) owner.Scope[O]
	args   func(actor) []any // the scope as it is sent
	owns   func(*R, actor) bool
	give   func(*R, actor) // makes a row the actor's
	fields []field[R]
	links  []link[R]
	keys   []conflictKey[R]
	unique [][]int // fields that are unique together
	refs   []pointer[R]
	rows   []R // all owners', as the oracle knows them
}

// field is a column with the operations of its type.
type field[R any] struct {
	name    string
	json    string // its name in JSON, "" for none
	words   string // of the tag owner
	sqlOf   string // its type in SQL
	pk      bool
	owner   bool
	parent  bool
	fixed   bool
	hidden  bool
	number  bool
	text    bool
	version bool
	server  bool
	zero    func(*R) bool
	get     func(*R) any // the value as the oracle compares it
	put     func(*R, any)
	at      func(*R) any // the address, to scan into
	draw    func(*source) any
	eval    func(any) any
	cmp     func(op int, v any) owner.Condition[R]
	in      func(not bool, v []any) owner.Condition[R]
	null    func(not bool) owner.Condition[R]
	like    func(kind int, text string) owner.Condition[R]
	sort    func(desc bool) owner.Order[R]
	set     func(v any) owner.Assignment[R]
	add     func(v any) owner.Assignment[R]
	column  owner.AnyColumn[R]

	aggregate func(ctx context.Context, db owner.DB, rows owner.Reader[R], function string) (any, error)
}

type conflictKey[R any] struct {
	columns []owner.AnyColumn[R]
	fields  []int
}

// pointer is a foreign key of a row, with the function that reports whether it
// points at a row of the actor's.
type pointer[R any] struct {
	fields []int
	reach  func(key []any, who actor) bool
}

type link[R any] func(s *source, depth int) condition[R]

// addField declares a column of the entity. It reads the struct's tags again, so
// that the package under test is not believed.
func addField[R any, O comparable, V any](e *entity[R, O], sqlOf string, at func(*R) *V, draw func(*source) V) int {
	return addColumn(e, owner.Column(e.table, at), sqlOf, at, draw)
}

func addColumn[R any, O comparable, V any](e *entity[R, O], c owner.ColumnOf[R, V], sqlOf string, at func(*R) *V, draw func(*source) V) int {
	row := new(R)
	p := any(at(row))
	rv := reflect.ValueOf(row).Elem()
	f := field[R]{
		sqlOf: sqlOf,
		zero:  func(r *R) bool { return reflect.ValueOf(at(r)).Elem().IsZero() },
		get:   func(r *R) any { return value(*at(r)) },
		put:   func(r *R, v any) { *at(r) = v.(V) },
		at:    func(r *R) any { return at(r) },
		draw:  func(s *source) any { return draw(s) },
		eval:  value,
		cmp: func(op int, v any) owner.Condition[R] {
			return []func(V) owner.Condition[R]{c.Eq, c.Ne, c.Lt, c.Le, c.Gt, c.Ge}[op](v.(V))
		},
		in: func(not bool, v []any) owner.Condition[R] {
			list := make([]V, len(v))
			for i := range v {
				list[i] = v[i].(V)
			}
			if not {
				return c.NotIn(list...)
			}
			return c.In(list...)
		},
		null: func(not bool) owner.Condition[R] {
			if not {
				return c.IsNotNull()
			}
			return c.IsNull()
		},
		like: func(kind int, text string) owner.Condition[R] {
			return []func(string) owner.Condition[R]{c.Contains, c.HasPrefix, c.HasSuffix}[kind](text)
		},
		sort: func(desc bool) owner.Order[R] {
			if desc {
				return c.Desc()
			}
			return c.Asc()
		},
		set:    func(v any) owner.Assignment[R] { return c.Set(v.(V)) },
		add:    func(v any) owner.Assignment[R] { return c.Add(v.(V)) },
		column: c,

		aggregate: aggregated(c),
	}
	for i := range rv.NumField() {
		if rv.Field(i).Addr().Interface() == p {
			tag := rv.Type().Field(i).Tag
			f.name, f.json = tag.Get("db"), jsonName(rv.Type().Field(i))
			f.readTag(tag.Get("owner"))
		}
	}
	base := reflect.TypeFor[V]()
	if base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	f.text = base.Kind() == reflect.String
	f.number = base.Kind() == reflect.Int64 || base.Kind() == reflect.Int32 || base.Kind() == reflect.Float64
	e.fields = append(e.fields, f)
	e.model.Columns = append(e.model.Columns, prove.Column{Name: f.name, Hidden: f.hidden})
	switch {
	case f.owner:
		e.model.Owners = append(e.model.Owners, f.name)
	case f.pk:
		e.model.Key = append(e.model.Key, f.name)
	}
	if f.parent {
		e.model.Parent = append(e.model.Parent, f.name)
	}
	if f.version {
		e.model.Version = f.name
	}
	return len(e.fields) - 1
}

func (f *field[R]) readTag(words string) {
	f.words = words
	for _, word := range strings.Split(words, ",") {
		switch word {
		case "owner", "tenant":
			f.owner = true
		case "pk":
			f.pk = true
		case "parent":
			f.parent = true
		case "version":
			f.version = true
		case "hidden":
			f.hidden = true
		case "server":
			f.server = true
		}
	}
	f.fixed = f.owner || f.pk || f.parent || f.version
}

// keyFields returns the fields that a key has a value for.
func (e *entity[R, O]) keyFields() (out []int) {
	for i, f := range e.fields {
		if f.pk && !f.owner {
			out = append(out, i)
		}
	}
	return out
}

// sees reports whether the actor can see rows with that key.
func (e *entity[R, O]) sees(key []any, who actor) bool {
	return slices.ContainsFunc(e.rows, func(r R) bool { return e.owns(&r, who) && e.hasKey(&r, key) })
}

func (e *entity[R, O]) hasKey(r *R, key []any) bool {
	for i, k := range e.keyFields() {
		if !equal(e.fields[k].get(r), key[i]) {
			return false
		}
	}
	return true
}

// show writes the row for comparison. If the row was read, hidden fields are zero.
func (e *entity[R, O]) show(r *R, hidden bool) string {
	var b strings.Builder
	for _, f := range e.fields {
		if f.hidden && !hidden {
			continue
		}
		fmt.Fprintf(&b, "%#v|", f.get(r))
	}
	return b.String()
}

func (e *entity[R, O]) shown(rows []R, hidden bool) []string {
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = e.show(&rows[i], hidden)
	}
	return out
}
