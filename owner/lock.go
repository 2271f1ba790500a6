package owner

import (
	"slices"

	"github.com/jackc/pgx/v5"
)

// A LockOption says what to do about rows that others have locked; see
// [Select.ForUpdate]. Without one the statement waits for them.
type LockOption struct{ text string }

var (
	// SkipLocked leaves out rows that others have locked, as for a queue of
	// jobs. CockroachDB has it since v22.2.
	SkipLocked = LockOption{" skip locked"}
	// NoWait fails at once where others have locked a row, with SQLSTATE 55P03.
	// CockroachDB v21.1 was seen to wait all the same, in a select by a secondary
	// index.
	NoWait = LockOption{" nowait"}
)

type lock struct {
	mode string
	wait []LockOption
}

// ForUpdate locks the rows that are read until the transaction ends. The
// database given must be a pgx.Tx, since anywhere else the lock would be gone
// at once. [Select.Count] and [Select.Exists] refuse it, and so does what a [Grant]
// lets others read. Of a [View] it locks the rows of the table that the view is
// of, and none of those that are joined. The parents of rows of [NewThrough] are
// kept from being given away, too.
func (s Select[R, O]) ForUpdate(options ...LockOption) Select[R, O] {
	s.q.lock = lock{" for update", slices.Clone(options)}
	return s
}

// ForShare is [Select.ForUpdate], but several transactions can hold the lock; it
// keeps others from changing the rows. CockroachDB locks nothing for it before
// v23.2, and then under SERIALIZABLE only where a setting says so.
func (s Select[R, O]) ForShare(options ...LockOption) Select[R, O] {
	s.q.lock = lock{" for share", slices.Clone(options)}
	return s
}

func (l lock) check(t *table, db DB) error {
	if _, ok := db.(pgx.Tx); !ok {
		return misuse("table %s: ForUpdate needs a transaction, not a %T", t.name, db)
	}
	switch {
	case t.grouped():
		return misuse("view %s: its rows are made of several, which cannot be locked", t.name)
	case len(l.wait) > 1 || slices.Contains(l.wait, LockOption{}):
		return misuse("table %s: a lock takes one of SkipLocked and NoWait", t.name)
	}
	return nil
}

func (l lock) write(s *statement, t *table) {
	if l.mode == "" {
		return
	}
	s.text(l.mode)
	if t.view != nil {
		s.text(" of _0")
	}
	for _, w := range l.wait {
		s.text(w.text)
	}
}

// hold keeps the parents of the rows that are locked the owner's, too. It waits for
// them in the same way.
func (l lock) hold(s *statement, t *table, prefix string) {
	if l.mode == "" {
		return
	}
	wait := ""
	for _, w := range l.wait {
		wait += w.text
	}
	s.text(t.held(prefix, 1, wait))
}
