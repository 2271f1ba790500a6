package core

import "github.com/jackc/pgx/v5"

// A Lock is the lock that a select takes on the rows that it returns.
type Lock struct {
	Mode    string
	Wait    string
	Invalid bool // the options are no valid ones
}

func (l Lock) check(t *Table, db DB) error {
	if _, ok := db.(pgx.Tx); !ok {
		return Misuse("table %s: ForUpdate needs a transaction, not a %T", t.Name, db)
	}
	switch {
	case t.grouped():
		return Misuse("view %s: its rows are made of several, which cannot be locked", t.Name)
	case l.Invalid:
		return Misuse("table %s: a lock takes one of SkipLocked and NoWait", t.Name)
	}
	return nil
}

func (l Lock) write(s *Statement, t *Table) {
	if l.Mode == "" {
		return
	}
	s.text(l.Mode)
	if t.View != nil {
		s.text(" of _0")
	}
	s.text(l.Wait)
}

// hold also keeps the parents of the locked rows the owner's. It waits for them in
// the same way.
func (l Lock) hold(s *Statement, t *Table, prefix string) {
	if l.Mode != "" {
		s.text(t.held(prefix, 1, l.Wait))
	}
}
