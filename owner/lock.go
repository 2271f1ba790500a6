package owner

import (
	"slices"

	"github.com/jackc/pgx/v5"
)

// A LockOption says how to treat rows that others have locked; see
// [Select.ForUpdate]. By default the statement waits for them.
type LockOption struct{ text string }

var (
	// SkipLocked leaves out rows that others have locked, for example in a queue of
	// jobs. CockroachDB supports it since v22.2.
	SkipLocked = LockOption{" skip locked"}
	// NoWait fails at once, with SQLSTATE 55P03, if others have locked a row.
	// CockroachDB v21.1 was seen to wait nevertheless in a select by a secondary
	// index.
	NoWait = LockOption{" nowait"}
)

type lock struct {
	mode string
	wait []LockOption
}

// ForUpdate locks the rows that are read until the transaction ends. The database
// must be a pgx.Tx, since elsewhere the lock would be released at once.
// [Select.Count], [Select.Exists] and selects of a [Grant] refuse it. In a [View] it
// locks the rows of the view's table and none of the joined ones. It also prevents
// the parents of rows of [NewThrough] from being given away.
func (s Select[R, O]) ForUpdate(options ...LockOption) Select[R, O] {
	s.q.lock = lock{" for update", slices.Clone(options)}
	return s
}

// ForShare is like [Select.ForUpdate], but several transactions can hold the lock; it
// prevents others from changing the rows. CockroachDB takes no lock for it before
// v23.2, and from then on under SERIALIZABLE only if a setting says so.
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

// hold also keeps the parents of the locked rows the owner's. It waits for them in
// the same way.
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
