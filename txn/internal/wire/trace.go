package wire

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// trace is what a tracer is to be told of a statement.
type trace struct {
	ctx   context.Context // from its start
	tag   pgconn.CommandTag
	err   error
	known bool // tag and err are
	other bool // its rows end the trace, as pgx's do in a batch
}

// traceStart tells pgx's tracer of the statements, as pgx would if it sent them one by
// one. That it asks for standbys is its own affair.
func (p *Packet) traceStart(ctx context.Context) {
	t := p.session.tracer
	if t == nil {
		return
	}
	for i := range p.statements {
		s := &p.statements[i]
		if s.Kind == Standbys {
			continue
		}
		s.trace = &trace{ctx: t.TraceQueryStart(ctx, p.session.conn, pgx.TraceQueryStartData{SQL: s.SQL, Args: s.Args})}
	}
}

// traceEnd tells it of a result. During an exchange it is told later, because it could
// use the connection.
func (p *Packet) traceEnd(s *outgoing, tag pgconn.CommandTag, err error) {
	t := s.trace
	if t == nil {
		return
	}
	if !t.known {
		t.tag, t.err, t.known = tag, err, true
	}
	if _, exchanges := p.answers.(*exchange); exchanges && !p.closed {
		return
	}
	s.trace = nil
	if !t.other {
		p.session.tracer.TraceQueryEnd(t.ctx, p.session.conn, pgx.TraceQueryEndData{CommandTag: t.tag, Err: t.err})
	}
}
