package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/owner"
)

var (
	cursors = must(owner.NewCursors([]byte("the key of the cursors in the proof")))
	others  = must(owner.NewCursors([]byte("another key of cursors in the proof")))
)

// sealed is a cursor with its table.
type sealed struct {
	table  any
	cursor string
}

// paging is a select to page through.
type paging[R any, O comparable] struct {
	selection[R, O]
	total []ordering
	size  int
}

func (r reading[R, O]) paging(s *source, op *operation) paging[R, O] {
	p := paging[R, O]{selection: r.some(s), size: pick(s, 1, 1, 2, 3, 5, owner.MaxRows)}
	if s.one(30) {
		p.size, p.misuse = pick(s, 0, -1, owner.MaxRows+1), true
	}
	if s.one(30) {
		p.built, p.misuse = p.built.Limit(2), true
	}
	p.misuse = p.misuse || r.keyless
	p.total = slices.Clone(p.order)
	for _, k := range r.key {
		if !slices.ContainsFunc(p.order, func(o ordering) bool { return o.field == k }) {
			p.total = append(p.total, ordering{field: k})
		}
	}
	for _, o := range p.total {
		p.misuse = p.misuse || r.e.fields[o.field].hidden // a cursor would show it
	}
	r.locked(s, &p.selection, op)
	op.misuse = op.misuse || p.misuse
	return p
}

// sorted returns all rows of the select, in their only order.
func (r reading[R, O]) sorted(p paging[R, O], cr bool) []R {
	rows := r.e.chosen(p.where, r.who, cr)
	slices.SortFunc(rows, func(a, b R) int { return r.e.compareRows(&a, &b, p.total, cr) })
	return rows
}

// sameSequence compares rows in a total order.
func (e *entity[R, O]) sameSequence(have, want []R) error {
	if h, w := e.shown(have, false), e.shown(want, false); !slices.Equal(h, w) {
		return fmt.Errorf("the rows are\n\t%q\nand not\n\t%q", h, w)
	}
	return nil
}

// page takes one page, often behind an invented row: one that is gone.
func (r reading[R, O]) page(s *source, op *operation) {
	op.kind = "page"
	p := r.paging(s, op)
	var cursor string
	var last *R
	if !op.misuse && !r.misuse && len(p.total) > 0 && !s.one(4) {
		last = r.e.madeUp(s)
		cursor = r.seal(p.built, last, p.total)
		r.e.w.keep(sealed{r.e.model, cursor})
	}
	var page owner.Page[R]
	op.run = func(ctx context.Context, db owner.DB) (err error) {
		page, err = p.built.Page(ctx, db, cursors, cursor, p.size)
		return err
	}
	op.result = func(cr bool) error {
		want := r.sorted(p, cr)
		if last != nil {
			want = slices.DeleteFunc(want, func(row R) bool { return r.e.compareRows(&row, last, p.total, cr) <= 0 })
		}
		more := len(want) > p.size
		if more {
			want = want[:p.size]
		}
		if (page.Next != "") != more {
			return fmt.Errorf("that there is more is %v", page.Next != "")
		}
		return r.e.sameSequence(page.Rows, want)
	}
}

// pages goes through all pages, with varying sizes.
func (r reading[R, O]) pages(s *source, op *operation) {
	op.kind = "pages"
	p := r.paging(s, op)
	grow := s.n(2)
	var rows []R
	var sizes []int
	op.run = func(ctx context.Context, db owner.DB) error {
		rows, sizes = nil, nil
		cursor := ""
		for size := p.size; len(sizes) < 100; size = min(size+grow, owner.MaxRows) {
			page, err := p.built.Page(ctx, db, cursors, cursor, size)
			if err != nil {
				return err
			}
			rows, sizes = append(rows, page.Rows...), append(sizes, len(page.Rows))
			if page.Next == "" {
				return nil
			}
			if len(page.Rows) != size {
				return fmt.Errorf("a page of %d rows instead of %d has another behind it", len(page.Rows), size)
			}
			cursor = page.Next
			r.e.w.keep(sealed{r.e.model, cursor})
		}
		return fmt.Errorf("there is no end of pages")
	}
	op.result = func(cr bool) error {
		if len(sizes) > 1 && sizes[len(sizes)-1] == 0 {
			return fmt.Errorf("the last page is empty")
		}
		return r.e.sameSequence(rows, r.sorted(p, cr))
	}
}

// foreignCursor uses a cursor in a place that it is not for.
func (r reading[R, O]) foreignCursor(s *source, op *operation) {
	op.kind = "foreign cursor"
	p := r.paging(s, &operation{})
	if p.misuse || p.lock {
		p = paging[R, O]{selection: selection[R, O]{built: r.in(r.who)}}
		p.total = r.byKey()
	}
	p.size = 2
	at := p.built // the place that it is used in
	cursor := pick(s, strangeCursors...)
	with := cursors
	if forgeable := !r.misuse && len(r.key) > 0; forgeable {
		made := r.e.madeUp(s)
		switch s.n(7) {
		case 0:
			other := pick(s, r.e.w.actors...)
			if r.e.args != nil && !slices.Equal(r.e.args(other), r.e.args(r.who)) {
				cursor = r.seal(r.in(other), made, r.byKey())
				at = r.in(r.who)
			}
		case 1:
			cursor = r.seal(p.built, made, p.total)
			if more := r.e.condition(s, 2); !more.misuse {
				at = p.built.Where(more.built)
			} else {
				at = p.built.Where(owner.And[R]())
			}
		case 2:
			f := pick(s, r.e.fields...)
			a, b := f.draw(s), f.draw(s)
			if va, vb := f.eval(a), f.eval(b); va != nil && vb != nil && compare(va, vb, false) != 0 && storable([]any{va, vb}) {
				cursor = r.seal(p.built.Where(f.cmp(0, a)), made, p.total)
				at = p.built.Where(f.cmp(0, b))
			}
		case 3:
			forward, back := r.in(r.who), r.in(r.who)
			for i, o := range p.total {
				f := r.e.fields[o.field]
				forward = forward.OrderBy(f.sort(o.desc))
				back = back.OrderBy(f.sort(o.desc != (i == len(p.total)-1)))
			}
			cursor, at = r.seal(forward, made, p.total), back
		case 4:
			cursor = tampered(s, r.seal(p.built, made, p.total))
		case 5:
			cursor, with = r.seal(p.built, made, p.total), others
		default:
			if len(r.e.w.sealed) > 0 {
				if o := pick(s, r.e.w.sealed...); o.table != any(r.e.model) {
					cursor = o.cursor
				}
			}
		}
	}
	op.misuse = true
	if !r.keyless {
		op.refusal = func(err error) bool { return errors.Is(err, owner.ErrCursor) }
	}
	op.run = func(ctx context.Context, db owner.DB) error {
		_, err := at.Page(ctx, db, with, cursor, p.size)
		return err
	}
}

var strangeCursors = []string{
	"a", "AAAA", "=", "'", "\x00", "\xff", " ", "-", "null", "' or true --", "%", "../..", base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
	base64.RawURLEncoding.EncodeToString(append(make([]byte, 32), "[]"...)), base64.RawURLEncoding.EncodeToString(append(make([]byte, 32), "[1,null]"...)),
}

// tampered changes a cursor into another text.
func tampered(s *source, cursor string) string {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		panic(err)
	}
	switch s.n(6) {
	case 0:
		b[s.n(len(b))] ^= 1 << s.n(8)
	case 1:
		b = b[:s.n(len(b))]
		if len(b) == 0 {
			return "A"
		}
	case 2:
		b = append(b, pick[byte](s, ' ', ']', 0, '\n'))
	case 3:
		b = slices.Concat(b[:32], []byte("["), b[32:], []byte("]"))
	case 4:
		b = bytes.Replace(b, []byte("["), []byte("[ "), 1)
		if c := base64.RawURLEncoding.EncodeToString(b); c != cursor {
			return c
		}
		return "["
	default:
		at := s.n(len(cursor))
		return cursor[:at] + pick(s, "=", "\n", "\r", " ", "+", "A") + cursor[at:]
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// madeUp returns an invented row for a cursor.
func (e *entity[R, O]) madeUp(s *source) *R {
	row := new(R)
	for _, f := range e.fields {
		v := f.draw(s)
		if storable([]any{f.eval(v)}) {
			f.put(row, v)
		}
	}
	return row
}

// byKey returns the default order.
func (r reading[R, O]) byKey() (by []ordering) {
	for _, k := range r.key {
		by = append(by, ordering{field: k})
	}
	return by
}

// seal returns the cursor behind a row, as a page in that order would have it.
func (r reading[R, O]) seal(q owner.Select[R, O], last *R, by []ordering) string {
	db := new(oneMore)
	for _, f := range r.e.fields {
		if !f.hidden {
			db.values = append(db.values, f.at(last))
		}
	}
	for _, o := range by {
		db.texts = append(db.texts, asText(r.e.fields[o.field].at(last)))
	}
	page, err := q.Page(background, db, cursors, "", 1)
	if err != nil {
		panic(fmt.Sprintf("no cursor behind a row of %s: %v", r.e.model.Name, err))
	}
	return page.Next
}

// keep keeps some cursors, to try them on other tables.
func (w *world) keep(c sealed) {
	if len(w.sealed) < 32 {
		w.sealed = append(w.sealed, c)
		return
	}
	w.sealed[len(c.cursor)%len(w.sealed)] = c
}

// oneMore is a database that returns the same row twice.
type oneMore struct {
	pgx.Tx
	pgx.Rows
	values []any     // their addresses
	texts  []*string // the columns of the order
	n      int
}

func (d *oneMore) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return &oneMore{values: d.values, texts: d.texts}, nil
}

func (d *oneMore) Next() bool { d.n++; return d.n <= 2 }
func (d *oneMore) Close()     {}
func (d *oneMore) Err() error { return nil }

func (d *oneMore) Conn() *pgx.Conn { return nil }

func (d *oneMore) FieldDescriptions() []pgconn.FieldDescription { return nil }
func (d *oneMore) RawValues() [][]byte                          { return nil }

// Scan scans the row and, behind it, the columns of the order as text.
func (d *oneMore) Scan(dest ...any) error {
	for i, from := range d.values {
		reflect.ValueOf(dest[i]).Elem().Set(reflect.ValueOf(from).Elem())
	}
	for i, text := range d.texts {
		*dest[len(d.values)+i].(**string) = text
	}
	return nil
}

// asText returns a value as the database writes it.
func asText(v any) *string {
	at := reflect.Indirect(reflect.ValueOf(v))
	if at.Kind() == reflect.Pointer { // to a value that may be NULL
		if at.IsNil() {
			return nil
		}
		at = at.Elem()
	}
	text := fmt.Sprint(at.Interface())
	if at.CanFloat() {
		text = strconv.FormatFloat(at.Float(), 'g', -1, 64)
	}
	return &text
}
