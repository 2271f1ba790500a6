package wire

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pipeline is a packet that pgx makes and reads, during which pgx considers the
// connection busy.
type pipeline struct {
	session *Session
	of      *pgconn.Pipeline
}

func (s *Session) sendPipeline(ctx context.Context, p *Packet, body []outgoing) error {
	a := &pipeline{s, s.conn.PgConn().StartPipeline(ctx)}
	for i := range body {
		a.send(&body[i])
	}
	p.answers = a
	return a.of.Sync()
}

func (a *pipeline) send(s *outgoing) {
	d, b := s.described, s.encoded
	if s.named {
		if slices.Contains(a.session.described.dropped, d.Name) {
			a.of.SendDeallocate(d.Name)
		}
		a.prepare(d)
	}
	switch {
	case d != nil && b == nil:
		a.of.SendQueryPrepared(d.Name, nil, nil, nil)
	case b == nil:
		a.of.SendQueryParams(s.SQL, nil, nil, nil, nil)
	case d == nil:
		a.of.SendQueryParams(s.SQL, b.ParamValues, nil, b.ParamFormats, b.ResultFormats)
	case d.Name == "":
		a.of.SendQueryParams(s.SQL, b.ParamValues, d.ParamOIDs, b.ParamFormats, b.ResultFormats)
	default:
		a.of.SendQueryStatement(&d.StatementDescription, b.ParamValues, b.ParamFormats, b.ResultFormats)
	}
}

// result reads the next result of a statement.
func (a *pipeline) result(s *outgoing) (*pgconn.ResultReader, error) {
	if s.named {
		if err := a.prepared(); err != nil {
			return nil, err
		}
		s.named = false
		a.session.described.put(s.described)
	}
	r, err := a.of.GetResults()
	if err != nil {
		return nil, err
	}
	rr, ok := r.(*pgconn.ResultReader)
	if !ok {
		return nil, fmt.Errorf("expected the result of a statement, got %T", r)
	}
	return rr, nil
}

// prepared reads the answer to Parse, after that to Close, if that was sent.
func (a *pipeline) prepared() error {
	for {
		r, err := a.of.GetResults()
		if err != nil {
			return err
		}
		if _, closed := r.(*pgconn.CloseComplete); !closed {
			return nil
		}
	}
}

func (a *pipeline) tag(s *outgoing) (pgconn.CommandTag, error) {
	rr, err := a.result(s)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	if s.Into == nil {
		return rr.Close()
	}
	return Keep(s.Into, pgx.RowsFromResultReader(a.session.conn.TypeMap(), rr))
}

func (a *pipeline) rows(s *outgoing) (pgx.Rows, error) {
	rr, err := a.result(s)
	if err != nil {
		return nil, err
	}
	return pgx.RowsFromResultReader(a.session.conn.TypeMap(), rr), nil
}

func (a *pipeline) close() error { return a.of.Close() }
