package txn

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// rows records the error that rows end with, and ends their packet.
type rows struct {
	pgx.Rows
	at     *attempt
	sql    string
	packet *packet // nil if pgx sent the statement alone
	err    error   // of the packet, after the rows
	seen   bool
	gated  gatedRows
}

// forFunction returns the rows as the function reads them.
func (r *rows) forFunction() pgx.Rows {
	r.gated = gatedRows{Rows: r, at: r.at}
	return &r.gated
}

func (r *rows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.end()
	return false
}

func (r *rows) Scan(dest ...any) error {
	err := r.Rows.Scan(dest...)
	if err != nil {
		r.Close() // as pgx does itself
	}
	return err
}

func (r *rows) Values() ([]any, error) {
	values, err := r.Rows.Values()
	if err != nil {
		r.Close()
	}
	return values, err
}

func (r *rows) Close() {
	r.Rows.Close()
	r.end()
}

func (r *rows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

func (r *rows) Conn() *pgx.Conn { return r.at.conn }

func (r *rows) abandon() { r.Close() }

func (r *rows) end() {
	if r.seen {
		return
	}
	r.seen = true
	r.at.closed(r)
	tag, err := r.Rows.CommandTag(), r.Rows.Err()
	if r.packet != nil {
		r.err = r.at.queried(r.packet, r.sql, tag, err)
		return
	}
	r.at.observe(r.sql, endedBy(tag.String()), err)
}

// packetRow is the row of a statement that traveled with others.
type packetRow struct {
	at     *attempt
	packet *packet
	sql    string
	taken  bool // result and err belong to the statement
	result *pgconn.ResultReader
	err    error
	seen   bool
}

// take takes the result, once.
func (r *packetRow) take() (*pgconn.ResultReader, error) {
	if !r.taken {
		r.taken = true
		r.result, r.err = r.packet.row()
	}
	return r.result, r.err
}

func (r *packetRow) Scan(dest ...any) error {
	if err := r.at.gate.await(r.at.ctx); err != nil {
		return err
	}
	defer r.at.gate.leave()
	if r.seen || r.taken { // taken alone: a Scanner has panicked
		return pgx.ErrTxClosed
	}
	if hasDriverBytes(dest) {
		r.abandon()
		return errDriverBytes
	}
	rr, err := r.take()
	found := err == nil && rr.NextRow()
	if found {
		err = r.scan(rr, dest)
	}
	if err = r.end(err); err == nil && !found {
		return pgx.ErrNoRows
	}
	return err
}

func (r *packetRow) scan(rr *pgconn.ResultReader, dest []any) error {
	types := r.at.conn.TypeMap()
	if len(dest) == 1 {
		if s, ok := dest[0].(pgx.RowScanner); ok {
			kept := &pgconn.Result{FieldDescriptions: rr.FieldDescriptions(), Rows: [][][]byte{rr.Values()}}
			return s.ScanRow(&bufferedRows{result: kept, types: types})
		}
	}
	return pgx.ScanRow(types, rr.FieldDescriptions(), rr.Values(), dest...)
}

// end reads the rest. An error of the server wins over a scan error.
func (r *packetRow) end(scanErr error) error {
	var tag pgconn.CommandTag
	err := scanErr
	r.seen = true
	r.at.closed(r)
	if r.result != nil {
		if tag, err = r.result.Close(); err == nil {
			err = scanErr
		}
	}
	return r.at.queried(r.packet, r.sql, tag, err)
}

func (r *packetRow) abandon() {
	if !r.seen {
		_, err := r.take()
		_ = r.end(err) // end observes it
	}
}

// row is pgx's QueryRow on observed rows.
type row struct{ pgx.Rows }

func (r row) Scan(dest ...any) error {
	defer r.Close()
	if err := r.Err(); err != nil {
		return err
	}
	if hasDriverBytes(dest) {
		return errDriverBytes
	}
	if !r.Next() {
		if err := r.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.Rows.Scan(dest...); err != nil {
		return err
	}
	r.Close()
	return r.Err()
}

func hasDriverBytes(dest []any) bool {
	for _, d := range dest {
		if _, ok := d.(*pgtype.DriverBytes); ok {
			return true
		}
	}
	return false
}
