package txn

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// describe sends the statements ahead, none of which has arguments, and has the server
// describe those of the others that are not yet known. index is the statement that the
// error belongs to.
func (l *session) describe(ctx context.Context, ahead int, statements []statement) (begun bool, index int, err error) {
	f := &l.packet
	*f = packet{session: l, statements: statements[:ahead]}
	f.traceStart(ctx)
	f.pipeline = l.conn.PgConn().StartPipeline(ctx)
	for i := range f.statements {
		f.pipeline.SendQueryParams(f.statements[i].sql, nil, nil, nil, nil)
	}
	slices.Sort(l.described.dropped)
	l.described.dropped = slices.Compact(l.described.dropped)
	dropped := l.described.dropped
	for _, name := range dropped {
		f.pipeline.SendDeallocate(name)
	}
	asked := f.askFor(ahead, statements)
	if err := f.pipeline.Sync(); err != nil {
		f.fail(err)
		return false, 0, err
	}
	defer f.close()
	for i := range ahead {
		if _, err := f.exec(); err != nil {
			return begun, i, err
		}
		begun = true
	}
	for range dropped {
		if _, err := f.pipeline.GetResults(); err != nil {
			return begun, ahead, err
		}
	}
	l.described.dropped = l.described.dropped[len(dropped):]
	for _, i := range asked {
		r, err := f.pipeline.GetResults()
		if err != nil {
			return begun, i, err
		}
		got, ok := r.(*pgconn.StatementDescription)
		if !ok {
			return begun, i, fmt.Errorf("expected the description of a statement, got %T", r)
		}
		sd := statements[i].described
		sd.ParamOIDs, sd.Fields = got.ParamOIDs, got.Fields
		l.described.put(sd)
	}
	return begun, 0, f.close()
}

// askFor asks for the descriptions of the statements from that one on which are not yet
// known, once for each text, and returns the statements that the answers belong to.
func (f *packet) askFor(from int, statements []statement) (asked []int) {
	byText := make(map[string]*pgconn.StatementDescription)
	for i := from; i < len(statements); i++ {
		s := &statements[i]
		if s.described != nil || !f.session.needsDescription(s) {
			continue
		}
		sd := byText[s.sql]
		if sd == nil {
			sd = &pgconn.StatementDescription{SQL: s.sql}
			if f.session.names() {
				sd.Name = nameOf(s.sql)
			}
			byText[s.sql] = sd
			asked = append(asked, i)
			f.prepare(sd)
		}
		s.described = sd
	}
	return asked
}

// prepare marks a statement to be prepared. Until it is known to be prepared, its name
// must be closed before reuse: PgBouncer considers a name used even if the server
// refused the statement, and ends a connection that uses a name twice.
func (f *packet) prepare(sd *pgconn.StatementDescription) {
	f.pipeline.SendPrepare(sd.Name, sd.SQL, nil)
	if sd.Name != "" {
		f.session.described.dropped = append(f.session.described.dropped, sd.Name)
	}
}
