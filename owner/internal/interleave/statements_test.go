package interleave

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

// statement is a statement of the former owner. It reports whether it read or changed
// a row that is no longer the former owner's after the transfer.
type statement struct {
	name string
	kind string // read, lock or write
	note bool   // is about the note and what hangs on it
	send func(ctx context.Context, tx pgx.Tx, p place) (bool, error)
}

func did(err error) (bool, error) { return err == nil, err }

func found[R any](_ R, err error) (bool, error) { return err == nil, err }

func some[R any](rows []R, err error) (bool, error) { return len(rows) > 0, err }

func any1(n int64, err error) (bool, error) { return n > 0, err }

// queue sends statements at once and keeps the first error.
type queue struct {
	ctx context.Context
	tx  pgx.Tx
	err error
}

func (q *queue) Queue(sql string, args ...any) { q.QueueExpect(1, sql, args...) }

func (q *queue) QueueExpect(rows int64, sql string, args ...any) {
	tag, err := q.tx.Exec(q.ctx, sql, args...)
	if err == nil && tag.RowsAffected() != rows {
		err = owner.ErrNotFound
	}
	q.err = errors.Join(q.err, err)
}

func queued(ctx context.Context, tx pgx.Tx, f func(owner.Queue) error) (bool, error) {
	q := &queue{ctx: ctx, tx: tx}
	return did(errors.Join(f(q), q.err))
}

var locks = []statement{
	{"Get for update", "lock", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return found(Notes.In(mine).ForUpdate().Get(ctx, tx, p.id))
	}},
	{"One for share", "lock", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return found(Notes.In(mine).Where(NoteID.Eq(p.id)).ForShare().One(ctx, tx))
	}},
	{"All for update", "lock", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return some(Notes.In(mine).Where(NoteDoc.Eq(p.id)).ForUpdate().All(ctx, tx))
	}},
	{"Rows for update", "lock", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		any := false
		for _, err := range Notes.In(mine).Where(OfDoc.To(DocID.Eq(p.id))).ForUpdate().Rows(ctx, tx) {
			if err != nil {
				return false, err
			}
			any = true
		}
		return any, nil
	}},
	{"a view for update", "lock", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return some(Titled.In(mine).Where(TitledID.Eq(p.id)).ForUpdate().All(ctx, tx))
	}},
	{"Get for update of a grandchild", "lock", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return found(Marks.In(mine).ForUpdate().Get(ctx, tx, p.id))
	}},
	{"Get for update of the row itself", "lock", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return found(Docs.In(mine).ForUpdate().Get(ctx, tx, p.id))
	}},
}

var writes = []statement{
	{"Update", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Notes.In(mine).Update(p.id).Set(NoteText.Set("late")).Exec(ctx, tx))
	}},
	{"Update returning", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return found(Notes.In(mine).Update(p.id).Set(NoteText.Set("late")).Returning(ctx, tx))
	}},
	{"Update queued", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return queued(ctx, tx, Notes.In(mine).Update(p.id).Set(NoteText.Set("late")).Queue)
	}},
	{"UpdateWhere", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return any1(Notes.In(mine).UpdateWhere(NoteDoc.Eq(p.id)).Set(NoteText.Set("late")).Exec(ctx, tx))
	}},
	{"UpdateWhere To", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return any1(Notes.In(mine).UpdateWhere(OfDoc.To(DocID.Eq(p.id))).Set(NoteText.Set("late")).Exec(ctx, tx))
	}},
	{"Delete", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Notes.In(mine).Delete(p.id).Exec(ctx, tx))
	}},
	{"Delete queued", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return queued(ctx, tx, func(q owner.Queue) error { return Notes.In(mine).Delete(p.id).Queue(q) })
	}},
	{"DeleteWhere", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return any1(Notes.In(mine).DeleteWhere(NoteDoc.Eq(p.id)).Exec(ctx, tx))
	}},
	{"Insert", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Notes.In(mine).Insert(ctx, tx, &Note{ID: p.id + 1, Doc: p.id, Pos: 2, Text: "late"}))
	}},
	{"Insert queued", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return queued(ctx, tx, func(q owner.Queue) error {
			return Notes.In(mine).QueueInsert(q, &Note{ID: p.id + 1, Doc: p.id, Pos: 2, Text: "late"})
		})
	}},
	{"InsertMany", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Notes.In(mine).InsertMany(ctx, tx, []Note{{ID: p.id + 1, Doc: p.id, Pos: 2, Text: "late"}, {ID: p.id + 2, Doc: p.id, Pos: 3, Text: "late"}}))
	}},
	{"Upsert of a note that is there", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Notes.In(mine).Upsert(ctx, tx, &Note{ID: p.id, Doc: p.id, Pos: 1, Text: "late"}, NoteID))
	}},
	{"Upsert by another key", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Notes.In(mine).Upsert(ctx, tx, &Note{ID: p.id + 3, Doc: p.id, Pos: 1, Text: "late"}, NotePos))
	}},
	{"Upsert of a new note", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Notes.In(mine).Upsert(ctx, tx, &Note{ID: p.id + 1, Doc: p.id, Pos: 2, Text: "late"}, NoteID))
	}},
	{"Update of a grandchild", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Marks.In(mine).Update(p.id).Set(MarkText.Set("late")).Exec(ctx, tx))
	}},
	{"Delete of a grandchild", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Marks.In(mine).Delete(p.id).Exec(ctx, tx))
	}},
	{"Insert of a grandchild", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Marks.In(mine).Insert(ctx, tx, &Mark{ID: p.id + 1, Note: p.id, Text: "late"}))
	}},
	{"InsertMany of grandchildren", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Marks.In(mine).InsertMany(ctx, tx, []Mark{{ID: p.id + 1, Note: p.id, Text: "late"}}))
	}},
	{"Upsert of a grandchild", "write", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Marks.In(mine).Upsert(ctx, tx, &Mark{ID: p.id, Note: p.id, Text: "late"}, MarkID))
	}},
	{"Insert of a reference", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Links.In(mine).Insert(ctx, tx, &Link{ID: p.id + 2, Doc: &p.id, Text: "late"}))
	}},
	{"InsertMany of a reference", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Links.In(mine).InsertMany(ctx, tx, []Link{{ID: p.id + 2, Doc: &p.id, Text: "late"}}))
	}},
	{"Update of a reference", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Links.In(mine).Update(p.id).Set(LinkDoc.Set(&p.id)).Exec(ctx, tx))
	}},
	{"UpdateWhere of a reference", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return any1(Links.In(mine).UpdateWhere(LinkID.Eq(p.id)).Set(LinkDoc.Set(&p.id)).Exec(ctx, tx))
	}},
	{"Upsert of a reference", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Links.In(mine).Upsert(ctx, tx, &Link{ID: p.id, Doc: &p.id, Text: "late"}, LinkID))
	}},
	{"TransferTo with a reference", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Links.In(his).TransferTo(ctx, tx, mine, p.id+1))
	}},
	{"Update of the row itself", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Docs.In(mine).Update(p.id).Set(DocTitle.Set("late")).Exec(ctx, tx))
	}},
	{"Upsert of the row itself", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Docs.In(mine).Upsert(ctx, tx, &Doc{ID: p.id, Title: "late"}, DocID))
	}},
	{"UpdateWhere of the row itself", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return any1(Docs.In(mine).UpdateWhere(DocID.Eq(p.id)).Set(DocTitle.Set("late")).Exec(ctx, tx))
	}},
	{"Delete of the row itself", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Docs.In(mine).Delete(p.id).Exec(ctx, tx))
	}},
	{"TransferTo somebody else", "write", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return did(Docs.In(mine).TransferTo(ctx, tx, hers, p.id))
	}},
}

var cursors = ownerkit.Cursors()

var reads = []statement{
	{"Get", "read", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return found(Notes.In(mine).Get(ctx, tx, p.id))
	}},
	{"Count", "read", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return any1(Notes.In(mine).Where(NoteDoc.Eq(p.id)).Count(ctx, tx))
	}},
	{"Sum", "read", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return any1(NotePos.Sum(ctx, tx, Notes.In(mine).Where(NoteDoc.Eq(p.id))))
	}},
	{"Page of a view", "read", true, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		page, err := Titled.In(mine).Where(TitledID.Eq(p.id)).Page(ctx, tx, cursors, "", 5)
		return some(page.Rows, err)
	}},
}

var shared = []statement{
	{"All that is shared", "read", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return some(Shared.In(hers).Where(DocID.Eq(p.id)).All(ctx, tx))
	}},
	{"Count of what is shared", "read", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		return any1(Shared.In(hers).Where(DocID.Eq(p.id)).Count(ctx, tx))
	}},
	{"Page of what is shared", "read", false, func(ctx context.Context, tx pgx.Tx, p place) (bool, error) {
		page, err := Shared.In(hers).Where(DocID.Eq(p.id)).Page(ctx, tx, cursors, "", 5)
		return some(page.Rows, err)
	}},
}
