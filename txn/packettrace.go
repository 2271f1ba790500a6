package txn

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// traceStart tells pgx's tracer of the statements, as pgx would if it sent them one by
// one.
func (f *packet) traceStart(ctx context.Context) {
	t := f.session.tracer
	if t == nil {
		return
	}
	for i := range f.statements {
		s := &f.statements[i]
		s.traced = t.TraceQueryStart(ctx, f.session.conn, pgx.TraceQueryStartData{SQL: s.sql, Args: s.args})
	}
}

func (f *packet) traceEnd(s *statement, tag pgconn.CommandTag, err error) {
	if s.traced == nil {
		return
	}
	traced := s.traced
	s.traced = nil
	if !s.endsTrace {
		f.session.tracer.TraceQueryEnd(traced, f.session.conn, pgx.TraceQueryEndData{CommandTag: tag, Err: err})
	}
}

// batchRows returns the rows of the next result of a batch, which is s. When such rows
// end, pgx tells a tracer of statements, although it has not told of their start.
func (f *packet) batchRows(s *statement) (pgx.Rows, error) {
	rows, err := f.batch.Query()
	_, traces := f.session.tracer.(pgx.BatchTracer)
	s.endsTrace = err == nil && !traces
	return rows, err
}

// batchContext is the context of a batch with the values of the statement whose result
// is being read, because pgx ends the trace of its rows in the context of the batch.
type batchContext struct {
	context.Context
	packet *packet
	whole  context.Context // of the whole packet
}

func (c *batchContext) Value(key any) any {
	if n := c.packet.next; n > 0 && n <= len(c.packet.statements) {
		if traced := c.packet.statements[n-1].traced; traced != nil {
			return traced.Value(key)
		}
	}
	return c.whole.Value(key)
}
