package wire

import (
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Statements returns the slice in which to collect the statements of a packet.
func (s *Session) Statements() []Statement { return s.statements[:0] }

// Collected makes statements those of the next packet, and finds the descriptions that
// are known. It reports whether one has to be described.
func (s *Session) Collected(statements []Statement) (unknown bool) {
	s.statements = statements
	for i := range statements {
		if st := &statements[i]; s.needsDescription(st) {
			st.described = s.described.get(st.SQL)
			st.Fresh = st.described == nil
			unknown = unknown || st.Fresh
		}
	}
	return unknown
}

// Encode encodes all arguments, so that a value which cannot be sent stops the packet
// before any of it is on the wire. index is the statement that the error belongs to;
// the others can be sent.
func (s *Session) Encode(statements []Statement) (index int, err error) {
	if s.Simple() {
		return 0, nil // pgx encodes, also before it sends
	}
	s.nameBeginAndCommit(statements)
	for i := range statements {
		st := &statements[i]
		if len(st.Args) == 0 && (st.described == nil || st.Kind != Queued && st.Kind != Answered) {
			continue
		}
		if st.described != nil && len(st.described.ParamOIDs) != len(st.Args) {
			return i, fmt.Errorf("expected %d arguments, got %d", len(st.described.ParamOIDs), len(st.Args))
		}
		st.encoded = s.builder()
		if err := s.build(st.encoded, st); err != nil {
			return i, err
		}
	}
	return 0, nil
}

func (s *Session) build(b *pgx.ExtendedQueryBuilder, st *Statement) error {
	if st.described == nil {
		return b.Build(s.conn.TypeMap(), nil, st.Args)
	}
	return b.Build(s.conn.TypeMap(), &st.described.StatementDescription, st.Args)
}

// nameBeginAndCommit makes the server parse BEGIN and COMMIT once per connection. That
// takes no round trip, as nothing has to be known of them. A trailing COMMIT goes as
// text.
func (s *Session) nameBeginAndCommit(statements []Statement) {
	if !s.names() || s.described.lru.capacity < 2 {
		return
	}
	for i := range statements {
		st := &statements[i]
		if st.About != nil || st.Kind != Begin && (st.Kind != Commit || s.trails(statements)) {
			continue
		}
		if st.described = s.described.get(st.SQL); st.described == nil {
			st.described, st.named = new(description), true
			st.described.Name, st.described.SQL = nameOf(st.SQL), st.SQL
		}
	}
}

// Culprit returns the statement that pgx could not encode in simple_protocol, if its
// error does not name it: the first that cannot be encoded here either, or else the
// last with arguments.
func (s *Session) Culprit(statements []Statement) *Statement {
	found := &statements[len(statements)-1]
	b := s.builder()
	defer s.reuse(b)
	for i := range statements {
		if st := &statements[i]; len(st.Args) > 0 {
			found = st
			if b.Build(s.conn.TypeMap(), nil, st.Args) != nil {
				break
			}
		}
	}
	return found
}

func (s *Session) builder() *pgx.ExtendedQueryBuilder {
	if n := len(s.builders); n > 0 {
		b := s.builders[n-1]
		s.builders = s.builders[:n-1]
		return b
	}
	return new(pgx.ExtendedQueryBuilder)
}

// reuse keeps a builder for another statement, but not its contents: pgx releases a
// large buffer only when the next one is built, and the values never.
func (s *Session) reuse(b *pgx.ExtendedQueryBuilder) {
	const kept = 4
	if b == nil || len(s.builders) >= kept {
		return
	}
	clear(b.ParamValues)
	if b.Build(s.conn.TypeMap(), nil, nil) == nil { // building nothing cannot fail
		s.builders = append(s.builders, b)
	}
}
