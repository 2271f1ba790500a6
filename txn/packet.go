package txn

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// packet is a group of statements that was sent at once and whose results are read one after
// the other. The connection is busy until close.
type packet struct {
	session    *session
	statements []statement
	next       int
	pipeline   *pgconn.Pipeline
	batch      pgx.BatchResults          // instead, in simple_protocol
	text       *pgconn.MultiResultReader // instead, for COMMIT by itself on CockroachDB
	trailing   trailingCommit            // after either, or alone
	failed     error                     // the first error of a statement
	wrong      bool                      // an answer belonged to another statement
	closed     bool
	err        error // of close
}

// encode encodes all arguments, so that a value which cannot be sent stops the packet
// before any of it is on the wire. index is the statement that the error belongs to;
// the others can be sent.
func (l *session) encode(statements []statement) (index int, err error) {
	if l.mode == pgx.QueryExecModeSimpleProtocol {
		return 0, nil // pgx encodes, also before it sends
	}
	for i := range statements {
		s := &statements[i]
		if len(s.args) == 0 && (s.described == nil || s.kind != queued && s.kind != answered) {
			continue
		}
		if s.described != nil && len(s.described.ParamOIDs) != len(s.args) {
			return i, fmt.Errorf("expected %d arguments, got %d", len(s.described.ParamOIDs), len(s.args))
		}
		s.encoded = l.builder()
		if err := s.encoded.Build(l.conn.TypeMap(), s.described, s.args); err != nil {
			return i, err
		}
	}
	return 0, nil
}

// send sends the statements, which have been encoded, in one packet. Tracers see
// traced, which may end before ctx does.
func (l *session) send(ctx, traced context.Context, statements []statement) (*packet, error) {
	f := &l.packet
	*f = packet{session: l, statements: statements}
	f.traceStart(traced)
	if l.trails(statements) {
		f.trailing.sent = true
		statements = statements[:len(statements)-1]
		if len(statements) == 0 {
			return f, f.sendTrailing()
		}
	}
	if l.mode == pgx.QueryExecModeSimpleProtocol {
		var b pgx.Batch
		for _, s := range statements {
			b.Queue(s.sql, s.args...)
		}
		if l.tracer != nil {
			ctx = &batchContext{ctx, f, traced}
		}
		f.batch = l.conn.SendBatch(ctx, &b)
		if f.trailing.sent && l.conn.PgConn().IsBusy() { // otherwise nothing was sent, and the batch says why
			return f, f.sendTrailing()
		}
		f.trailing.sent = false
		return f, nil
	}
	if goesAsText(statements) {
		f.text = l.conn.PgConn().Exec(ctx, statements[0].sql)
		return f, nil
	}
	f.pipeline = l.conn.PgConn().StartPipeline(ctx)
	for i := range statements {
		s := &statements[i]
		if s.named {
			if s.renamed = slices.Contains(l.described.dropped, s.described.Name); s.renamed {
				f.pipeline.SendDeallocate(s.described.Name)
			}
			f.prepare(s.described)
		}
		switch {
		case s.described != nil && s.encoded == nil:
			f.pipeline.SendQueryPrepared(s.described.Name, nil, nil, nil)
		case s.encoded == nil:
			f.pipeline.SendQueryParams(s.sql, nil, nil, nil, nil)
		case s.described == nil:
			f.pipeline.SendQueryParams(s.sql, s.encoded.ParamValues, nil, s.encoded.ParamFormats, s.encoded.ResultFormats)
		case s.described.Name == "":
			f.pipeline.SendQueryParams(s.sql, s.encoded.ParamValues, s.described.ParamOIDs, s.encoded.ParamFormats, s.encoded.ResultFormats)
		case len(s.described.Fields) == 0: // equivalent without rows, with fewer allocations
			f.pipeline.SendQueryPrepared(s.described.Name, s.encoded.ParamValues, s.encoded.ParamFormats, s.encoded.ResultFormats)
		default:
			f.pipeline.SendQueryStatement(s.described, s.encoded.ParamValues, s.encoded.ParamFormats, s.encoded.ResultFormats)
		}
	}
	if err := f.sync(); err != nil {
		f.fail(err)
		return nil, err
	}
	return f, nil
}

// sync sends the pipeline, and COMMIT after it.
func (f *packet) sync() error {
	if !f.trailing.sent {
		return f.pipeline.Sync()
	}
	f.pipeline.SendPipelineSync()
	f.session.addCommit()
	return f.pipeline.Flush()
}

// sendTrailing sends COMMIT in a separate write.
func (f *packet) sendTrailing() error {
	f.session.addCommit()
	err := f.session.conn.PgConn().Frontend().Flush()
	if err != nil {
		giveUp(f.session.conn)
		f.trailing.answered = true
		f.fail(err)
	}
	return err
}

// exec reads the next result to its end.
func (f *packet) exec() (pgconn.CommandTag, error) {
	s := &f.statements[f.next]
	f.next++
	tag, err := f.read(s)
	if err == nil {
		err = f.check(s, tag)
	}
	f.traceEnd(s, tag, err)
	return tag, f.note(s, err)
}

func (f *packet) read(s *statement) (pgconn.CommandTag, error) {
	if s.kind == commits && f.trailing.sent {
		if err := f.closeBody(); err != nil {
			return pgconn.CommandTag{}, err
		}
		return f.trailing.read(f.session.conn)
	}
	if f.batch != nil {
		if s.result == nil {
			return f.batch.Exec()
		}
		rows, err := f.batchRows(s)
		if err != nil {
			return pgconn.CommandTag{}, err
		}
		return keep(s.result, rows)
	}
	if f.text != nil {
		if f.text.NextResult() {
			return f.text.ResultReader().Close()
		}
		return pgconn.CommandTag{}, f.text.Close()
	}
	if s.renamed {
		if _, err := f.pipeline.GetResults(); err != nil {
			return pgconn.CommandTag{}, err
		}
	}
	if s.named {
		if _, err := f.pipeline.GetResults(); err != nil {
			return pgconn.CommandTag{}, err
		}
		f.session.described.put(s.described)
	}
	rr, err := f.result()
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	if s.result == nil {
		return rr.Close()
	}
	return keep(s.result, pgx.RowsFromResultReader(f.session.conn.TypeMap(), rr))
}

func (f *packet) result() (*pgconn.ResultReader, error) {
	r, err := f.pipeline.GetResults()
	if err != nil {
		return nil, err
	}
	rr, ok := r.(*pgconn.ResultReader)
	if !ok {
		return nil, fmt.Errorf("expected the result of a statement, got %T", r)
	}
	return rr, nil
}

// row returns the next result, for a caller that reads it itself.
func (f *packet) row() (*pgconn.ResultReader, error) {
	f.next++
	return f.result()
}

// query returns the rows of the next result. A caller that has read them to their end
// calls queried, then close.
func (f *packet) query() (pgx.Rows, error) {
	s := &f.statements[f.next]
	f.next++
	if f.batch != nil {
		return f.batchRows(s)
	}
	rr, err := f.result()
	if err != nil {
		return nil, err
	}
	return pgx.RowsFromResultReader(f.session.conn.TypeMap(), rr), nil
}

func (f *packet) queried(tag pgconn.CommandTag, err error) error {
	s := &f.statements[f.next-1]
	f.traceEnd(s, tag, err)
	return f.note(s, err)
}

// note drops the description of a statement that may have failed because of it.
// Conflicts, constraint violations and the like are not caused by it. The error says so
// if the description was an older one.
func (f *packet) note(s *statement, err error) error {
	if err == nil {
		return nil
	}
	if f.failed == nil {
		f.failed = err
	}
	if s.described == nil {
		return err
	}
	if pe := pgerr.ServerError(err); pe != nil && outcome.StalePlan(pe) {
		f.session.described.dropAll()
		return err
	} else if pe != nil && len(pe.Code) == 5 {
		switch pe.Code[:2] {
		case "23", "25", "40", "55", "57", "P0":
			return err
		}
	}
	f.session.described.drop(s.sql)
	if !s.fresh {
		err = outcome.SuspectDescription(err)
	}
	return err
}

// close reads the remaining results, after which the connection is no longer busy.
func (f *packet) close() error {
	if f.closed {
		return f.err
	}
	f.closed = true
	f.err = f.closeBody()
	if f.trailing.sent && !f.trailing.answered {
		last := &f.statements[len(f.statements)-1]
		tag, err := f.trailing.read(f.session.conn) // an error before it counts instead
		f.traceEnd(last, tag, err)
	}
	f.done(cmp.Or(f.failed, f.err))
	if f.wrong {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // there is nothing to wait for
		_ = f.session.conn.Close(ctx)
	}
	return f.err
}

// closeBody reads the remaining results ahead of a trailing COMMIT.
func (f *packet) closeBody() error {
	switch {
	case f.batch != nil:
		return f.batch.Close()
	case f.text != nil:
		return f.text.Close()
	case f.pipeline != nil:
		return f.pipeline.Close()
	}
	return nil
}

// goesAsText reports whether statements is COMMIT alone, which costs less as text.
func goesAsText(statements []statement) bool {
	return len(statements) == 1 && statements[0].kind == commits
}

// unsent reports whether err says that pgx could not encode the batch.
func (f *packet) unsent(err error) bool {
	return err != nil && f.batch != nil && pgerr.ServerError(err) == nil && !outcome.ContextEnded(err) && !f.session.conn.IsClosed()
}

// culprit returns the statement that pgx could not encode in simple_protocol, if its
// error does not name it: the first that cannot be encoded here either, or else the
// last with arguments.
func (l *session) culprit(statements []statement) *statement {
	found := &statements[len(statements)-1]
	b := l.builder()
	defer l.reuse(b)
	for i := range statements {
		if s := &statements[i]; len(s.args) > 0 {
			found = s
			if b.Build(l.conn.TypeMap(), nil, s.args) != nil {
				break
			}
		}
	}
	return found
}

func (f *packet) fail(err error) {
	f.closed, f.err = true, err
	f.done(err)
}

func (f *packet) done(err error) {
	for i := range f.statements {
		s := &f.statements[i]
		f.traceEnd(s, pgconn.CommandTag{}, err)
		f.session.reuse(s.encoded)
		s.encoded = nil
	}
}

// keep copies rows, so that they outlive their packet. Rows that have already failed
// have no fields.
func keep(into *pgconn.Result, rows pgx.Rows) (pgconn.CommandTag, error) {
	if into.Err = rows.Err(); into.Err != nil {
		rows.Close()
		return pgconn.CommandTag{}, into.Err
	}
	into.FieldDescriptions = append(into.FieldDescriptions[:0], rows.FieldDescriptions()...)
	into.Rows = nil
	for rows.Next() {
		raw := rows.RawValues()
		row := make([][]byte, len(raw))
		for i, v := range raw {
			if v != nil {
				row[i] = append(make([]byte, 0, len(v)), v...)
			}
		}
		into.Rows = append(into.Rows, row)
	}
	into.CommandTag, into.Err = rows.CommandTag(), rows.Err()
	return into.CommandTag, into.Err
}
