package wire

import (
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Collect makes a packet of the statements, and finds the descriptions that are known.
// It reports whether the server has to describe one, for which it is asked by Describe.
// last may be nil.
func (s *Session) Collect(first, queue []Statement, last *Statement) (unknown bool) {
	s.sends, s.from = s.sends[:0], 0
	for i := range first {
		s.sends = append(s.sends, outgoing{Statement: first[i]})
	}
	for i := range queue {
		s.sends = append(s.sends, outgoing{Statement: queue[i]})
	}
	if last != nil {
		if last.Kind == Commit && len(s.sends) > 0 && !s.cockroach && !s.Simple() && s.standbys.asks() {
			s.sends = append(s.sends, outgoing{Statement: Statement{Kind: Standbys, SQL: showStandbys, Into: &s.standbys.shown}})
		}
		s.sends = append(s.sends, outgoing{Statement: *last})
	}
	for i := len(first); i < len(s.sends); i++ {
		if o := &s.sends[i]; s.needsDescription(&o.Statement) {
			o.described = s.described.get(o.SQL)
			o.fresh = o.described == nil
			unknown = unknown || o.fresh
		}
	}
	return unknown
}

// Collected returns the statements that the next packet has.
func (s *Session) Collected() iter.Seq[*Statement] {
	return func(yield func(*Statement) bool) {
		for i := s.from; i < len(s.sends); i++ {
			if !yield(&s.sends[i].Statement) {
				return
			}
		}
	}
}

// First returns the first statement of the next packet.
func (s *Session) First() *Statement { return s.At(s.from) }

// At returns a statement that was collected.
func (s *Session) At(i int) *Statement { return &s.sends[i].Statement }

// Count returns how many statements the next packet has.
func (s *Session) Count() int { return len(s.sends) - s.from }

// Encode encodes all arguments, so that a value which cannot be sent stops the packet
// before any of it is on the wire. The error is an *[EncodeError]; the other statements
// can be sent. ahead is the number of statements that are not described.
func (s *Session) Encode(ahead int) error {
	if s.Simple() {
		return nil // pgx encodes, also before it sends
	}
	packet := s.sends[s.from:]
	s.nameBeginAndCommit(packet)
	for i := range packet {
		o := &packet[i]
		if len(o.Args) == 0 && (o.described == nil || o.Kind != Queued && o.Kind != Answered) {
			continue
		}
		if err := s.encode(o); err != nil {
			return &EncodeError{&o.Statement, err, o.described != nil && (!o.fresh || s.from+i > ahead)}
		}
	}
	return nil
}

func (s *Session) encode(o *outgoing) error {
	var description *pgconn.StatementDescription
	if o.described != nil {
		description = &o.described.StatementDescription
		if len(description.ParamOIDs) != len(o.Args) {
			return fmt.Errorf("expected %d arguments, got %d", len(description.ParamOIDs), len(o.Args))
		}
	}
	o.encoded = s.builder()
	return o.encoded.Build(s.conn.TypeMap(), description, o.Args)
}

// nameBeginAndCommit makes the server parse BEGIN and COMMIT once per connection. That
// takes no round trip, as nothing has to be known of them. A trailing COMMIT goes as
// text.
func (s *Session) nameBeginAndCommit(packet []outgoing) {
	if !s.names() || s.described.lru.capacity < 2 {
		return
	}
	for i := range packet {
		o := &packet[i]
		if o.About != nil || o.Kind != Begin && (o.Kind != Commit || s.trails(packet)) {
			continue
		}
		if o.described = s.described.get(o.SQL); o.described == nil {
			o.described, o.named = new(description), true
			o.described.Name, o.described.SQL = nameOf(o.SQL), o.SQL
		}
	}
}

// Culprit returns the statement that pgx could not encode in simple_protocol, if its
// error does not name it: the first that cannot be encoded here either, or else the
// last with arguments.
func (s *Session) Culprit() *Statement {
	found := &s.sends[len(s.sends)-1].Statement
	b := s.builder()
	defer s.reuse(b)
	for st := range s.Collected() {
		if len(st.Args) > 0 {
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
