package owner

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/rowkeeper/rowkeeper/internal/kind"
)

// Cursors seals the cursors of [Select.Page], so that clients can only bring
// back what they were given. Make one with [NewCursors]; the zero value is
// refused.
type Cursors struct{ key []byte }

// NewCursors makes cursors from a secret key of 32 bytes or more, which all
// processes of the service share. With another key, cursors are no longer valid.
func NewCursors(key []byte) (*Cursors, error) {
	if len(key) < 32 {
		return nil, misuse("the key of cursors must have at least 32 bytes, not %d", len(key))
	}
	if !slices.ContainsFunc(key, func(b byte) bool { return b != key[0] }) {
		return nil, misuse("the key of cursors is not random")
	}
	return &Cursors{key: slices.Clone(key)}, nil
}

// ErrCursor says that a cursor is not one that was made for this owner, table,
// order and conditions. Its kind is Invalid, and the parameter at fault "cursor".
var ErrCursor error = &requestError{
	sentinel{"owner: the cursor is not valid here", kind.Invalid},
	kind.FieldError{Parameter: "cursor", Code: "invalid_cursor", Detail: "The cursor is not valid here."},
}

// errPageSize is that of a size which no page can have; its text says more.
var errPageSize error = &requestError{
	sentinel{"owner: the size of the page is out of range", kind.Invalid},
	kind.FieldError{Parameter: "size", Code: "out_of_range", Detail: fmt.Sprintf("A page has 1 to %d rows.", MaxRows)},
}

// A Page is some rows, and the cursor to those behind them. In JSON it is
// {"rows": [...], "next": "..."}, without next on the last one.
type Page[R any] struct {
	Rows []R    `json:"rows"`           // none is [], not null
	Next string `json:"next,omitempty"` // "" where there are no more
}

// Page returns at most size rows, from 1 to [MaxRows]: those behind the cursor,
// or the first ones if that is "". They are sorted as [Select.OrderBy] says, and
// then by the primary key. Between two pages nothing is skipped or repeated but
// what was changed in the meantime: a cursor holds values of the last row, and no
// offset.
//
// A cursor is bound to the owner, the table, the order and the conditions with
// their values; anywhere else it is [ErrCursor]. Clients can read the values in
// it, but not change them. The size may differ from page to page. A size out of
// range is a fault of the client, as the cursor is: its kind is Invalid, and the
// parameter at fault "size".
func (s Select[R, O]) Page(ctx context.Context, db DB, cursors *Cursors, cursor string, size int) (Page[R], error) {
	q := s.q
	var page Page[R]
	if err := q.prepare(db, false); err != nil {
		return page, err
	}
	switch {
	case cursors == nil || cursors.key == nil:
		return page, misuse("the Cursors were not made by NewCursors")
	case q.limited:
		return page, misuse("table %s: Page has a size; leave out the Limit", q.table.name)
	case size < 1 || size > MaxRows:
		return page, fmt.Errorf("%w: %d rows of table %s; it must have 1 to %d", errPageSize, size, q.table.name, MaxRows)
	}
	if err := q.total(); err != nil {
		return page, err
	}
	seal, err := cursors.seal(&q)
	if err != nil {
		return page, err
	}
	if cursor != "" {
		after, err := cursors.open(cursor, seal, q.order)
		if err != nil {
			return page, err
		}
		q.where = append(slices.Clip(q.where), cond{node: keyset{q.order, after}})
	}
	q.limited, q.limit = true, size+1
	rows, err := collect[R](ctx, db, &q, size+1, size+1)
	if err != nil {
		return page, err
	}
	if page.Rows = rows; len(rows) > size {
		page.Rows = rows[:size]
		page.Next, err = cursors.make(seal, q.order, unsafe.Pointer(&rows[size-1]))
	}
	return page, err
}

// total makes the order one in which no two rows are equal.
func (q *query) total() error {
	key := q.table.key
	if v := q.table.view; v != nil {
		if !v.keyed {
			return misuse("view %s: to page through it, it needs the primary keys of its rows", q.table.name)
		}
		key = v.rowKey
	}
	q.order = slices.Clone(q.order)
	for _, c := range key {
		if !slices.ContainsFunc(q.order, func(o order) bool { return o.col == c }) {
			q.order = append(q.order, order{col: c})
		}
	}
	for _, o := range q.order {
		switch {
		case o.col.hidden:
			return misuse("column %s: it is hidden, and a cursor would show it", o.col)
		case !sealable(o.col.typ):
			return misuse("column %s: a cursor cannot hold values of type %s", o.col, o.col.typ)
		}
	}
	return nil
}

// sealable reports whether JSON keeps values of type t whole.
func sealable(t reflect.Type) bool {
	if p := reflect.PointerTo(t); p.Implements(marshalerType) && p.Implements(unmarshalerType) {
		return true
	}
	switch t.Kind() {
	case reflect.Pointer:
		return sealable(t.Elem())
	case reflect.Array:
		return t.Elem().Kind() == reflect.Uint8
	case reflect.Slice:
		return t.Elem().Kind() == reflect.Uint8
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64:
		return true
	}
	return isInteger(t)
}

// seal is what a cursor is bound to: the text of the statement, which is its
// table, order and shape, and the arguments, of which the owner is the first.
func (c *Cursors) seal(q *query) ([]byte, error) {
	unlimited := *q
	unlimited.lock, unlimited.limited = lock{}, false
	var s statement
	unlimited.build(&s, nil, 0)
	mac := hmac.New(sha256.New, c.key)
	part := func(b []byte) { fmt.Fprintf(mac, "%d:%s", len(b), b) }
	part([]byte("rowkeeper cursor 1"))
	part([]byte(s.sql.String()))
	for _, arg := range s.args {
		b, err := canonical(arg)
		if err != nil {
			return nil, misuse("table %s: an argument of type %T cannot be bound to a cursor: %w", q.table.name, arg, err)
		}
		part(b)
	}
	return mac.Sum(nil), nil
}

const macSize = sha256.Size

func (c *Cursors) sign(seal, values []byte) []byte {
	mac := hmac.New(sha256.New, c.key)
	mac.Write(seal)
	mac.Write(values)
	return mac.Sum(nil)
}

func (c *Cursors) make(seal []byte, orders []order, row unsafe.Pointer) (string, error) {
	values := make([]any, len(orders))
	for i, o := range orders {
		var err error
		if values[i], err = cursorValue(o.col.pointer(row).Elem()); err != nil {
			return "", fmt.Errorf("column %s: a row cannot be put into a cursor: %w", o.col, err)
		}
	}
	b, err := json.Marshal(values)
	if err != nil {
		return "", misuse("a row cannot be put into a cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(c.sign(seal, b), b...)), nil
}

func (c *Cursors) open(cursor string, seal []byte, orders []order) ([]any, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || strings.ContainsAny(cursor, "\r\n") || len(b) < macSize || !hmac.Equal(b[:macSize], c.sign(seal, b[macSize:])) {
		return nil, ErrCursor
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(b[macSize:], &raw); err != nil || len(raw) != len(orders) {
		return nil, ErrCursor
	}
	after := make([]any, len(orders))
	for i, o := range orders {
		field := reflect.New(o.col.typ).Elem()
		if err := fromCursor(raw[i], field); err != nil {
			return nil, ErrCursor
		}
		after[i] = fieldArgument(field)
	}
	return after, nil
}

// keyset is true for the rows behind one with these values. NULL counts as
// greater than all others; see [ColumnOf.Asc].
type keyset struct {
	order []order
	after []any
}

func (n keyset) write(s *statement) {
	for i, o := range n.order {
		last := i == len(n.order)-1
		null, err := isNull(n.after[i])
		null = null || err != nil
		s.text("(")
		s.beyond(o, n.after[i], null)
		if last {
			break
		}
		s.text(" or ")
		s.column(o.col)
		if null {
			s.text(" is null and ")
		} else {
			s.text(" = ")
			s.param(n.after[i])
			s.text(" and ")
		}
	}
	for range n.order {
		s.text(")")
	}
}

// beyond is true where the column comes behind the value.
func (s *statement) beyond(o order, value any, null bool) {
	switch {
	case null && o.desc:
		s.column(o.col)
		s.text(" is not null")
		return
	case null:
		s.text("false")
		return
	}
	s.column(o.col)
	if o.desc {
		s.text(" < ")
	} else {
		s.text(" > ")
	}
	s.param(value)
	if o.col.nullable && !o.desc {
		s.text(" or ")
		s.column(o.col)
		s.text(" is null")
	}
}
