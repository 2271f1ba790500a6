package txn

import (
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// answeredBy reports whether tag can be the answer to the statement.
func (s *statement) answeredBy(tag string) bool {
	switch s.kind {
	case begins:
		return tag == "BEGIN"
	case sets:
		return tag == "SET"
	case marks:
		word, _, _ := strings.Cut(s.sql, " ") // SAVEPOINT, RELEASE
		return strings.EqualFold(tag, word)
	case claims:
		return tag == "INSERT 0 1" || tag == "SELECT 1" // of a takeover
	case commits:
		return tag == "COMMIT" || tag == "ROLLBACK"
	}
	return true
}

// check refuses the answer to another statement. Without BEGIN, the statements after it
// were committed with the packet.
func (f *packet) check(s *statement, tag pgconn.CommandTag) error {
	if s.answeredBy(tag.String()) {
		return nil
	}
	f.wrong = true
	effects := false
	for i := range f.statements {
		switch f.statements[i].kind {
		case begins, sets:
		case commits:
			effects = true
		default:
			effects = effects || s.kind == begins
		}
	}
	return &outcome.WrongAnswer{SQL: s.sql, Tag: tag.String(), Effects: effects}
}
