package owner

import "github.com/rowkeeper/rowkeeper/owner/internal/core"

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

func newLock(mode string, options []LockOption) core.Lock {
	l := core.Lock{Mode: mode, Invalid: len(options) > 1}
	for _, o := range options {
		switch o {
		case SkipLocked:
			l.Wait = " skip locked"
		case NoWait:
			l.Wait = " nowait"
		default:
			l.Invalid = true
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
	s.q.Lock = newLock(" for update", options)
	return s
}

// ForShare is like [Select.ForUpdate], but several transactions can hold the lock; it
// prevents others from changing the rows. CockroachDB takes no lock for it before
// v23.2, and from then on under SERIALIZABLE only if a setting says so.
func (s Select[R, O]) ForShare(options ...LockOption) Select[R, O] {
	s.q.Lock = newLock(" for share", options)
	return s
}
