package wire

import (
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// answeredBy reports whether tag can be the answer to the statement.
func (s *outgoing) answeredBy(tag string) bool {
	switch s.Kind {
	case Begin:
		return tag == "BEGIN"
	case Set:
		return tag == "SET"
	case Savepoint:
		word, _, _ := strings.Cut(s.SQL, " ") // SAVEPOINT, RELEASE
		return strings.EqualFold(tag, word)
	case Claim:
		return tag == "INSERT 0 1" || tag == "SELECT 1" // of a takeover
	case Standbys:
		return tag == "SHOW"
	case Commit:
		return tag == "COMMIT" || tag == "ROLLBACK"
	}
	return true
}

// check refuses the answer to another statement. Without BEGIN, the statements after it
// were committed with the packet.
func (p *Packet) check(s *outgoing, tag pgconn.CommandTag) error {
	if s.answeredBy(tag.String()) {
		return nil
	}
	p.wrong = true
	effects := false
	for i := range p.statements {
		switch p.statements[i].Kind {
		case Begin, Set:
		case Commit:
			effects = true
		default:
			effects = effects || s.Kind == Begin
		}
	}
	return &outcome.WrongAnswer{SQL: s.SQL, Tag: tag.String(), Effects: effects}
}
