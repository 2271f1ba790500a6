package txn

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// rows records the error that rows end with, and ends their packet.
type rows struct {
	pgx.Rows
	at     *attempt
	sql    string
	packet *wire.Packet // nil if pgx sent the statement alone
	err    error        // of the packet, after the rows
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
		r.err = r.at.rowsRead(r.packet, r.sql, tag, err)
		return
	}
	r.at.observe(r.sql, endedBy(tag.String()), err)
}

// bufferedRow is the first row of a result that has been read.
type bufferedRow struct {
	wire.Row
	at      *attempt // nil if the function does not have it
	types   *pgtype.Map
	err     error
	scanned bool
}

// Scan enters the gate, because the type map belongs to the connection.
func (r *bufferedRow) Scan(dest ...any) error {
	if r.at != nil {
		if err := r.at.gate.await(r.at.ctx); err != nil {
			return err
		}
		defer r.at.gate.leave()
	}
	switch {
	case r.scanned: // or a Scanner has panicked
		return pgx.ErrTxClosed
	case hasDriverBytes(dest):
		return errDriverBytes
	}
	r.scanned = true
	switch {
	case r.err != nil:
		return r.err
	case !r.Found:
		return pgx.ErrNoRows
	}
	if len(dest) == 1 {
		if s, ok := dest[0].(pgx.RowScanner); ok {
			kept := &pgconn.Result{FieldDescriptions: r.Fields, Rows: [][][]byte{r.Values}}
			return s.ScanRow(&bufferedRows{result: kept, types: r.types})
		}
	}
	return pgx.ScanRow(r.types, r.Fields, r.Values, dest...)
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
