package owner

import "github.com/jackc/pgx/v5"

// A LockOption says how to treat rows that others have locked. By default the
// statement waits for them. Two of them, and a value that is none of the constants,
// are an error of the statement.
type LockOption uint8

const (
	// SkipLocked leaves out rows that others have locked, for example in a queue of
	// jobs. CockroachDB supports it since v22.2.
	SkipLocked LockOption = iota + 1

	// NoWait fails at once, with SQLSTATE 55P03, if others have locked a row.
	// CockroachDB v21.1 was seen to wait nevertheless in a select by a secondary
	// index.
	NoWait
)

type lock struct {
	mode string
	wait string
	bad  bool // the options are no valid ones
}

func newLock(mode string, options []LockOption) lock {
	l := lock{mode: mode, bad: len(options) > 1}
	for _, o := range options {
		switch o {
		case SkipLocked:
			l.wait = " skip locked"
		case NoWait:
			l.wait = " nowait"
		default:
			l.bad = true
		}
	}
	return l
}

// ForUpdate locks the rows that are read until the transaction ends. The database
// must be a pgx.Tx, since elsewhere the lock would be released at once.
// [Select.Count], [Select.Exists] and selects of a [Grant] refuse it. In a [View] it
// locks the rows of the view's table and none of the joined ones. It also prevents
// the parents of rows of [MustThrough] from being given away.
func (s Select[R, O]) ForUpdate(options ...LockOption) Select[R, O] {
	s.q.lock = newLock(" for update", options)
	return s
}

// ForShare is like [Select.ForUpdate], but several transactions can hold the lock; it
// prevents others from changing the rows. CockroachDB takes no lock for it before
// v23.2, and from then on under SERIALIZABLE only if a setting says so.
func (s Select[R, O]) ForShare(options ...LockOption) Select[R, O] {
	s.q.lock = newLock(" for share", options)
	return s
}

func (l lock) check(t *table, db DB) error {
	if _, ok := db.(pgx.Tx); !ok {
		return misuse("table %s: ForUpdate needs a transaction, not a %T", t.name, db)
	}
	switch {
	case t.grouped():
		return misuse("view %s: its rows are made of several, which cannot be locked", t.name)
	case l.bad:
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
	s.text(l.wait)
}

// hold also keeps the parents of the locked rows the owner's. It waits for them in
// the same way.
func (l lock) hold(s *statement, t *table, prefix string) {
	if l.mode != "" {
		s.text(t.held(prefix, 1, l.wait))
	}
}
