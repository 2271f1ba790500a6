package wire

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// simple is a packet that pgx makes and reads, as a batch, in simple_protocol.
type simple struct {
	packet *Packet
	batch  pgx.BatchResults
}

func (s *Session) sendSimple(ctx, traced context.Context, p *Packet, body []outgoing) error {
	var b pgx.Batch
	for _, st := range body {
		b.Queue(st.SQL, st.Args...)
	}
	if s.tracer != nil {
		ctx = &batchContext{ctx, p, traced}
	}
	p.answers = &simple{p, s.conn.SendBatch(ctx, &b)}
	if !p.trailing.sent {
		return nil
	}
	if !s.conn.PgConn().IsBusy() { // nothing was sent, and the batch says why
		p.trailing.sent = false
		return nil
	}
	s.conn.PgConn().Frontend().SendQuery(&pgproto3.Query{String: commitSQL})
	if err := s.conn.PgConn().Frontend().Flush(); err != nil {
		GiveUp(s.conn)
		return err
	}
	return nil
}

func (a *simple) tag(s *outgoing) (pgconn.CommandTag, error) {
	if s.Into == nil {
		return a.batch.Exec()
	}
	rows, err := a.rows(s)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	return Keep(s.Into, rows)
}

func (a *simple) row(s *outgoing, into *Row) (pgconn.CommandTag, error) {
	rows, err := a.rows(s)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	err = into.ReadFrom(rows)
	return rows.CommandTag(), err
}

// rows returns the rows of the next result. When such rows end, pgx tells a tracer of
// statements, although it has not told of their start.
func (a *simple) rows(s *outgoing) (pgx.Rows, error) {
	rows, err := a.batch.Query()
	_, traces := a.packet.session.tracer.(pgx.BatchTracer)
	if s.trace != nil {
		s.trace.other = err == nil && !traces
	}
	return rows, err
}

func (a *simple) close() error { return a.batch.Close() }

// batchContext is the context of a batch with the values of the statement whose result
// is being read, because pgx ends the trace of its rows in the context of the batch.
type batchContext struct {
	context.Context
	packet *Packet
	whole  context.Context // of the whole packet
}

func (c *batchContext) Value(key any) any {
	if n := c.packet.next; n > 0 && n <= len(c.packet.statements) {
		if t := c.packet.statements[n-1].trace; t != nil {
			return t.ctx.Value(key)
		}
	}
	return c.whole.Value(key)
}
