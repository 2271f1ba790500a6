package owner

import (
	"context"
	"unsafe"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// A Page is a part of the rows, with the cursor to the next ones. In JSON it is
// {"rows": [...], "next": "..."}, without next on the last page.
type Page[R any] struct {
	Rows []R    `json:"rows"`           // [] if there are none, not null
	Next string `json:"next,omitempty"` // "" on the last page
}

// Page returns at most size rows, from 1 to [MaxRows]: those after the cursor, or the
// first ones if the cursor is "". They are sorted as [Select.OrderBy] says and then
// by the primary key. Nothing is skipped or repeated between two pages, except rows
// changed in the meantime: a cursor holds the values of the last row, as the database
// writes them and whatever the types of the fields, and no offset. A column whose
// values the database rounds on output, of type real on CockroachDB, or does not take
// as a parameter, of a composite type, is refused at the first page.
//
// A cursor is bound to the owner, the table, the order, and the conditions with their
// values; elsewhere the error is [ErrCursor]. Clients can neither read nor change its
// content. The size may differ from page to page. A size out of range is a fault of
// the client, as the cursor is: its kind is Invalid, and the parameter at fault is
// "size".
func (s Select[R, O]) Page(ctx context.Context, db DB, cursors *Cursors, cursor string, size int) (Page[R], error) {
	var untyped *core.Cursors
	if cursors != nil {
		untyped = cursors.untyped
	}
	rows := []R{}
	next, err := s.q.Page(ctx, db, untyped, cursor, size, func() unsafe.Pointer { return grow(&rows) })
	if err != nil {
		return Page[R]{}, err
	}
	return Page[R]{Rows: rows[:min(len(rows), size)], Next: next}, nil
}
