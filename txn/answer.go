package txn

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// wrongAnswerError reports that a statement of this package got the answer to another
// one, as if a pooler had mixed them up. Such a connection is not used again.
type wrongAnswerError struct {
	sql, tag string
	effects  bool // statements sent with it may have been committed
}

func (e *wrongAnswerError) Error() string {
	return fmt.Sprintf("the answer to %q was %q, which is another statement's", e.sql, e.tag)
}

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
	return &wrongAnswerError{s.sql, tag.String(), effects}
}
