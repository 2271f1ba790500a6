package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// exchange writes the messages of a packet and reads their answers. Nobody else reads
// in between, so pgx does not have to know that the connection is busy, and the
// statements of a transaction that return at most a row need nothing that pgx allocates
// for a pipeline.
//
// The order of the messages, and of those that answer, is in the comment of the
// package. close has been reached when ReadyForQuery for Sync was read, or the
// connection was lost.
type exchange struct {
	session *Session
	ctx     context.Context
	commits bool  // it is followed by COMMIT
	synced  bool  // Sync was sent, and is not answered
	over    error // why nothing more can be read; nil if all is well
}

func (s *Session) sendExchange(ctx context.Context, p *Packet, body []outgoing) error {
	x := &s.exchange
	commits := p.trailing.sent || !s.cockroach && body[len(body)-1].Kind == Commit
	*x = exchange{session: s, ctx: ctx, commits: commits}
	pg := s.conn.PgConn()
	switch {
	case ctx.Err() != nil:
		return &unsentError{outcome.ContextError(ctx)}
	case pg.IsClosed():
		return pgconn.ErrConnClosed
	case pg.IsBusy():
		return &unsentError{errors.New("the connection is busy")}
	}
	for i := range body {
		x.buffer(pg.Frontend(), &body[i])
	}
	if len(body) > 0 {
		pg.Frontend().SendSync(&pgproto3.Sync{})
		x.synced = true
	}
	if p.trailing.sent {
		pg.Frontend().SendQuery(&pgproto3.Query{String: commitSQL})
	}
	if !s.whole.covers(ctx) {
		s.watcher.watch(ctx)
	}
	if err := flush(pg); err != nil {
		err = x.failure(err)
		x.lose(err)
		s.watcher.end()
		return err
	}
	p.answers = x
	return nil
}

// buffer puts the messages of a statement into the write buffer.
func (x *exchange) buffer(f *pgproto3.Frontend, s *outgoing) {
	var bind pgproto3.Bind
	if b := s.encoded; b != nil {
		bind = pgproto3.Bind{ParameterFormatCodes: b.ParamFormats, Parameters: b.ParamValues, ResultFormatCodes: b.ResultFormats}
	}
	parse := pgproto3.Parse{Query: s.SQL}
	describes := s.Rows || s.Into != nil
	if d := s.described; d != nil {
		parse.Name, bind.PreparedStatement = d.Name, d.Name
		if d.Name == "" {
			parse.ParameterOIDs = d.ParamOIDs
		} else if len(d.Fields) > 0 {
			describes = false // they are known
		}
	}
	if s.named {
		x.session.claimName(f, parse.Name)
	}
	if s.named || parse.Name == "" {
		f.SendParse(&parse)
	}
	f.SendBind(&bind)
	if describes {
		f.SendDescribe(&pgproto3.Describe{ObjectType: 'P'})
	}
	f.SendExecute(&pgproto3.Execute{})
}

// claimName closes a name that the server may still have before it is used again, and
// counts it among these (see [pipeline.prepare]).
func (s *Session) claimName(f *pgproto3.Frontend, name string) {
	if slices.Contains(s.described.dropped, name) {
		f.SendClose(&pgproto3.Close{ObjectType: 'S', Name: name})
	}
	s.described.dropped = append(s.described.dropped, name)
}

// flush writes the buffer as pgx does for a pipeline: if that takes long, pgx reads in
// the background, as the server may not take all of a long packet before its answers
// are read. The pipeline itself stays empty.
func flush(pg *pgconn.PgConn) error {
	p := pg.StartPipeline(context.Background())
	if err := p.Flush(); err != nil {
		return err
	}
	return p.Close()
}

// unsentError is the error of a packet of which nothing was sent.
type unsentError struct{ error }

func (e *unsentError) Unwrap() error     { return e.error }
func (e *unsentError) SafeToRetry() bool { return true } // for pgconn.SafeToRetry

// receive reads the next message. Its contents are valid until the one after it.
func (x *exchange) receive() (pgproto3.BackendMessage, error) {
	if x.over != nil {
		return nil, x.over
	}
	msg, err := x.session.conn.PgConn().ReceiveMessage(context.Background())
	if err != nil {
		err = x.failure(lostAnswer(err))
		x.lose(err)
		return nil, err
	}
	if _, ready := msg.(*pgproto3.ReadyForQuery); ready {
		x.synced = false
	}
	return msg, nil
}

// failure returns the error of a read or a write, which may have been interrupted by
// the end of the context.
func (x *exchange) failure(err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if x.ctx.Err() != nil {
		return fmt.Errorf("timeout: %w", outcome.ContextError(x.ctx))
	}
	if reason := x.session.whole.reason(); reason != nil {
		return fmt.Errorf("timeout: %w", reason)
	}
	return err
}

// lose closes the connection, because of err.
func (x *exchange) lose(err error) {
	x.over, x.synced = err, false
	if x.commits {
		GiveUp(x.session.conn)
	} else {
		breakOff(x.session.conn)
	}
}

var errNoAnswer = errors.New("the server did not answer a statement")

func (x *exchange) read(s *outgoing, into *Row) (tag pgconn.CommandTag, err error) {
	for {
		msg, err := x.receive()
		if err != nil {
			return tag, err
		}
		switch msg := msg.(type) {
		case *pgproto3.RowDescription:
			x.fields(s, into, msg)
		case *pgproto3.NoticeResponse:
			if s.Kind == Commit {
				x.session.noticeAtCommit(msg)
			}
		case *pgproto3.DataRow:
			x.keep(s, into, msg.Values)
		case *pgproto3.CommandComplete:
			x.prepared(s)
			return tagOf(msg.CommandTag), nil
		case *pgproto3.EmptyQueryResponse:
			return tag, nil
		case *pgproto3.ErrorResponse:
			return tag, pgconn.ErrorResponseToPgError(msg)
		case *pgproto3.ReadyForQuery:
			return tag, errNoAnswer
		case *pgproto3.CopyInResponse, *pgproto3.CopyBothResponse: // the server waits for data
			err := errors.New("COPY needs a method of its own, such as CopyFrom")
			x.lose(err)
			return tag, err
		}
	}
}

// prepared records that a statement was prepared in its own packet.
func (x *exchange) prepared(s *outgoing) {
	if s.named {
		s.named = false
		x.session.described.put(s.described)
	}
}

func (x *exchange) fields(s *outgoing, into *Row, msg *pgproto3.RowDescription) {
	if into == nil && s.Into == nil {
		return
	}
	fields := make([]pgconn.FieldDescription, len(msg.Fields))
	for i, f := range msg.Fields {
		fields[i] = pgconn.FieldDescription{
			Name: string(f.Name), TableOID: f.TableOID, TableAttributeNumber: f.TableAttributeNumber,
			DataTypeOID: f.DataTypeOID, DataTypeSize: f.DataTypeSize, TypeModifier: f.TypeModifier, Format: f.Format,
		}
	}
	if into != nil {
		into.Fields = fields
	}
	if s.Into != nil {
		s.Into.FieldDescriptions = fields
	}
}

// keep keeps a row, if it is wanted.
func (x *exchange) keep(s *outgoing, into *Row, values [][]byte) {
	if s.Into != nil {
		s.Into.Rows = append(s.Into.Rows, copied(values))
	}
	if into != nil {
		into.keep(values)
	}
}

func (x *exchange) known(s *outgoing) []pgconn.FieldDescription {
	if s.described == nil || s.encoded == nil {
		return nil
	}
	return s.described.fieldsIn(s.encoded.ResultFormats)
}

func (x *exchange) tag(s *outgoing) (pgconn.CommandTag, error) {
	if s.Into == nil {
		return x.read(s, nil)
	}
	s.Into.FieldDescriptions, s.Into.Rows = x.known(s), nil
	s.Into.CommandTag, s.Into.Err = x.read(s, nil)
	return s.Into.CommandTag, s.Into.Err
}

func (x *exchange) row(s *outgoing, into *Row) (pgconn.CommandTag, error) {
	into.Fields = x.known(s)
	return x.read(s, into)
}

func (x *exchange) close() error {
	err := x.over
	for x.synced {
		msg, lost := x.receive()
		if lost != nil {
			err = cmp.Or(err, lost)
			break
		}
		switch msg := msg.(type) {
		case *pgproto3.ErrorResponse:
			err = cmp.Or(err, error(pgconn.ErrorResponseToPgError(msg)))
		case *pgproto3.CopyInResponse, *pgproto3.CopyBothResponse:
			x.lose(errNoAnswer)
		}
	}
	x.session.watcher.end()
	return err
}
