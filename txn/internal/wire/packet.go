package wire

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// Packet is a group of statements that was sent at once and whose results are read one
// after the other. The connection must not be used otherwise until Close.
type Packet struct {
	session    *Session
	statements []outgoing
	next       int            // the statement whose result is read next
	answers    answers        // nil if only COMMIT was sent
	trailing   trailingCommit // after them
	failed     error          // the first error of a statement
	wrong      bool           // an answer belonged to another statement
	sent       bool
	closed     bool
	err        error // of Close
}

// answers reads the results of the statements of a packet, in their order.
type answers interface {
	// tag reads the next result, which s is for, to its end.
	tag(s *outgoing) (pgconn.CommandTag, error)
	// close reads what is left.
	close() error
}

// rowReader is also implemented by the answers to a packet without a Stream. row is tag,
// and keeps the first row.
type rowReader interface {
	row(s *outgoing, into *Row) (pgconn.CommandTag, error)
}

// rowsReader is implemented by the answers to a packet with one. rows returns the rows,
// for a caller that reads them to their end.
type rowsReader interface {
	rows(s *outgoing) (pgx.Rows, error)
}

// Send sends the statements that were collected and encoded in one packet. Tracers see
// traced, which may end before ctx does.
func (s *Session) Send(ctx, traced context.Context) (*Packet, error) {
	p := &s.packet
	*p = Packet{session: s, statements: s.sends[s.from:]}
	p.traceStart(traced)
	body := p.statements
	if s.trails(body) {
		p.trailing.sent = true
		body = body[:len(body)-1]
	}
	p.sent = true
	var err error
	switch {
	case s.Simple() && len(body) > 0:
		err = s.sendSimple(ctx, traced, p, body)
	case len(body) > 0 && body[len(body)-1].Stream:
		err = s.sendPipeline(ctx, p, body)
	default:
		err = s.sendExchange(ctx, p, body)
	}
	if err != nil {
		p.fail(err)
		return nil, err
	}
	return p, nil
}

// Busy reports whether results of a packet have not been read: nothing else can be sent
// on the connection then, whatever pgx knows of it.
func (s *Session) Busy() bool { return s.packet.sent && !s.packet.closed }

// Next returns the statement whose result is read next.
func (p *Packet) Next() *Statement { return &p.statements[p.next].Statement }

// Left returns how many results have not been read.
func (p *Packet) Left() int { return len(p.statements) - p.next }

// Exec reads the next result to its end.
func (p *Packet) Exec() (pgconn.CommandTag, error) {
	s := p.take()
	tag, err := p.tag(s)
	return tag, p.answered(s, tag, err)
}

// Row reads the next result to its end, and keeps its first row.
func (p *Packet) Row(into *Row) (pgconn.CommandTag, error) {
	s := p.take()
	tag, err := p.answers.(rowReader).row(s, into)
	return tag, p.answered(s, tag, err)
}

// Rows returns the rows of the next result. A caller that has read them to their end
// calls RowsRead, then Close.
func (p *Packet) Rows() (pgx.Rows, error) { return p.answers.(rowsReader).rows(p.take()) }

// RowsRead records how the rows ended.
func (p *Packet) RowsRead(tag pgconn.CommandTag, err error) error {
	s := &p.statements[p.next-1]
	p.traceEnd(s, tag, err)
	return p.note(s, err)
}

func (p *Packet) take() *outgoing {
	p.next++
	return &p.statements[p.next-1]
}

func (p *Packet) tag(s *outgoing) (pgconn.CommandTag, error) {
	if s.Kind != Commit || !p.trailing.sent {
		return p.answers.tag(s)
	}
	if p.answers != nil {
		if err := p.answers.close(); err != nil {
			return pgconn.CommandTag{}, err
		}
	}
	return p.trailing.read(p.session.conn)
}

func (p *Packet) answered(s *outgoing, tag pgconn.CommandTag, err error) error {
	if err == nil {
		err = p.check(s, tag)
	}
	if s.Kind == Standbys && err == nil {
		p.session.standbys.learn()
	}
	p.traceEnd(s, tag, err)
	return p.note(s, err)
}

// note drops the description of a statement that may have failed because of it.
// Conflicts, constraint violations and the like are not caused by it. The error says so
// if the description was an older one.
func (p *Packet) note(s *outgoing, err error) error {
	if err == nil {
		return nil
	}
	if p.failed == nil {
		p.failed = err
	}
	if s.described == nil {
		return err
	}
	if pe := pgerr.ServerError(err); pe != nil && outcome.StalePlan(pe) {
		p.session.described.dropAll()
		return err
	} else if pe != nil && len(pe.Code) == 5 {
		switch pe.Code[:2] {
		case "23", "25", "40", "55", "57", "P0":
			return err
		}
	}
	p.session.described.drop(s.SQL)
	if !s.fresh {
		err = outcome.SuspectDescription(err)
	}
	return err
}

// Close reads the remaining results.
func (p *Packet) Close() error {
	if p.closed {
		return p.err
	}
	p.closed = true
	if p.answers != nil {
		p.err = p.answers.close()
	}
	if p.trailing.sent && !p.trailing.answered {
		last := &p.statements[len(p.statements)-1]
		tag, err := p.trailing.read(p.session.conn) // an error before it counts instead
		p.traceEnd(last, tag, err)
	}
	p.done(cmp.Or(p.failed, p.err))
	if p.wrong {
		GiveUp(p.session.conn)
	}
	return p.err
}

// Unsent reports whether err says that pgx could not encode the packet.
func (p *Packet) Unsent(err error) bool {
	return err != nil && p.session.Simple() && p.answers != nil && pgerr.ServerError(err) == nil && !outcome.ContextEnded(err) && !p.session.conn.IsClosed()
}

// Cut returns the error of a COMMIT whose wait for a synchronous standby was cut short,
// or nil. Its warning is in the error.
func (p *Packet) Cut() (warning *pgconn.PgError, err error) {
	if p.trailing.cut == nil {
		return nil, nil
	}
	return p.trailing.cut, p.trailing.cutShort()
}

// CommittedNothing reports whether COMMIT was reached in no transaction, or in a failed
// one.
func (p *Packet) CommittedNothing() bool { return p.trailing.inVain() }

func (p *Packet) fail(err error) {
	p.closed, p.err = true, err
	p.done(err)
}

func (p *Packet) done(err error) {
	for i := range p.statements {
		s := &p.statements[i]
		p.traceEnd(s, pgconn.CommandTag{}, err)
		p.session.reuse(s.encoded)
		s.encoded = nil
	}
}
