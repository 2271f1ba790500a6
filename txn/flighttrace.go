package txn

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// traceStart tells pgx's tracer of the statements, as pgx would if it sent them one by
// one.
func (f *flight) traceStart(ctx context.Context) {
	t := f.link.tracer
	if t == nil {
		return
	}
	for i := range f.statements {
		s := &f.statements[i]
		s.traced = t.TraceQueryStart(ctx, f.link.conn, pgx.TraceQueryStartData{SQL: s.sql, Args: s.args})
	}
}

func (f *flight) traceEnd(s *statement, tag pgconn.CommandTag, err error) {
	if s.traced == nil {
		return
	}
	traced := s.traced
	s.traced = nil
	if !s.endsTrace {
		f.link.tracer.TraceQueryEnd(traced, f.link.conn, pgx.TraceQueryEndData{CommandTag: tag, Err: err})
	}
}

// batchRows returns the rows of the next result of a batch, which is s. When such rows
// end, pgx tells a tracer of statements, although it has not told of their start.
func (f *flight) batchRows(s *statement) (pgx.Rows, error) {
	rows, err := f.batch.Query()
	_, traces := f.link.tracer.(pgx.BatchTracer)
	s.endsTrace = err == nil && !traces
	return rows, err
}

// batchContext is the context of a batch with the values of the statement whose result
// is being read, because pgx ends the trace of its rows in the context of the batch.
type batchContext struct {
	context.Context
	flight *flight
	packet context.Context // of the whole packet
}

func (c *batchContext) Value(key any) any {
	if n := c.flight.next; n > 0 && n <= len(c.flight.statements) {
		if traced := c.flight.statements[n-1].traced; traced != nil {
			return traced.Value(key)
		}
	}
	return c.packet.Value(key)
}
