package wire

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// Describe sends the first statements, of which none has arguments, and has the server
// describe those of the others that are not yet known. The packet then has the others.
// failed is the index of the statement that the error belongs to.
func (s *Session) Describe(ctx context.Context, ahead int) (begun bool, failed int, err error) {
	statements := s.sends
	p := &s.packet
	*p = Packet{session: s, statements: statements[:ahead]}
	p.traceStart(ctx)
	a := &pipeline{s, s.conn.PgConn().StartPipeline(ctx)}
	p.answers, p.sent = a, true
	for i := range p.statements {
		a.of.SendQueryParams(p.statements[i].SQL, nil, nil, nil, nil)
	}
	slices.Sort(s.described.dropped)
	s.described.dropped = slices.Compact(s.described.dropped)
	dropped := s.described.dropped
	for _, name := range dropped {
		a.of.SendDeallocate(name)
	}
	asked := a.askFor(ahead, statements)
	if err := a.of.Sync(); err != nil {
		p.fail(err)
		return false, 0, err
	}
	defer p.Close()
	for i := range ahead {
		if _, err := p.Exec(); err != nil {
			return begun, i, err
		}
		begun = true
	}
	for range dropped {
		if _, err := a.of.GetResults(); err != nil {
			return begun, ahead, err
		}
	}
	s.described.dropped = s.described.dropped[len(dropped):]
	for _, i := range asked {
		r, err := a.of.GetResults()
		if err != nil {
			return begun, i, err
		}
		got, ok := r.(*pgconn.StatementDescription)
		if !ok {
			return begun, i, fmt.Errorf("expected the description of a statement, got %T", r)
		}
		d := statements[i].described
		d.ParamOIDs, d.Fields = got.ParamOIDs, got.Fields
		s.described.put(d)
	}
	s.from = ahead
	return begun, 0, p.Close()
}

// askFor asks for the descriptions of the statements from that one on which are not yet
// known, once for each text, and returns the statements that the answers belong to.
func (a *pipeline) askFor(from int, statements []outgoing) (asked []int) {
	byText := make(map[string]*description)
	for i := from; i < len(statements); i++ {
		s := &statements[i]
		if s.described != nil || !a.session.needsDescription(&s.Statement) {
			continue
		}
		d := byText[s.SQL]
		if d == nil {
			d = new(description)
			if d.SQL = s.SQL; a.session.names() {
				d.Name = nameOf(s.SQL)
			}
			byText[s.SQL] = d
			asked = append(asked, i)
			a.prepare(d)
		}
		s.described = d
	}
	return asked
}

// prepare prepares a statement. Until it is known to be prepared, its name must be
// closed before reuse: PgBouncer considers a name used even if the server refused the
// statement, and ends a connection that uses a name twice.
func (a *pipeline) prepare(d *description) {
	a.of.SendPrepare(d.Name, d.SQL, nil)
	if d.Name != "" {
		a.session.described.dropped = append(a.session.described.dropped, d.Name)
	}
}
