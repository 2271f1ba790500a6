package txn

import (
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// bufferedResults are the buffered results of one query of a batch.
type bufferedResults struct {
	result *pgconn.Result
	types  *pgtype.Map
	read   bool
}

var errNoMoreResults = errors.New("no more results in batch")

func (r *bufferedResults) Exec() (pgconn.CommandTag, error) {
	rows, err := r.Query()
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	rows.Close()
	return rows.CommandTag(), rows.Err()
}

func (r *bufferedResults) Query() (pgx.Rows, error) {
	if r.read {
		return failedRows(errNoMoreResults), errNoMoreResults
	}
	r.read = true
	return &bufferedRows{result: r.result, types: r.types, at: -1}, nil
}

func (r *bufferedResults) QueryRow() pgx.Row {
	rows, _ := r.Query() // rows has the error too
	return row{rows}
}

func (r *bufferedResults) Close() error { return nil }
func (r *bufferedResults) Tx() pgx.Tx   { return nil }

// bufferedRows are buffered rows.
type bufferedRows struct {
	result *pgconn.Result
	types  *pgtype.Map
	at     int
	closed bool
	err    error
}

// failedRows returns the rows, or the row, of a statement that failed before it had
// any. Those of pgx panic when asked for their fields.
func failedRows(err error) *bufferedRows {
	return &bufferedRows{result: new(pgconn.Result), closed: true, err: err}
}

func (r *bufferedRows) Close()                        { r.closed = true }
func (r *bufferedRows) Err() error                    { return r.err }
func (r *bufferedRows) CommandTag() pgconn.CommandTag { return r.result.CommandTag }
func (r *bufferedRows) FieldDescriptions() []pgconn.FieldDescription {
	return r.result.FieldDescriptions
}
func (r *bufferedRows) Conn() *pgx.Conn      { return nil }
func (r *bufferedRows) TypeMap() *pgtype.Map { return r.types }

func (r *bufferedRows) Next() bool {
	if r.closed || r.at+1 >= len(r.result.Rows) {
		r.closed = true
		return false
	}
	r.at++
	return true
}

func (r *bufferedRows) RawValues() [][]byte {
	if r.at < 0 || r.at >= len(r.result.Rows) {
		return nil
	}
	return r.result.Rows[r.at]
}

func (r *bufferedRows) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	if len(dest) == 1 {
		if s, ok := dest[0].(pgx.RowScanner); ok {
			return r.fail(s.ScanRow(r))
		}
	}
	return r.fail(pgx.ScanRow(r.types, r.FieldDescriptions(), r.RawValues(), dest...))
}

func (r *bufferedRows) Values() ([]any, error) {
	switch {
	case r.err != nil:
		return nil, r.err
	case r.closed:
		return nil, errors.New("rows is closed")
	}
	raw := r.RawValues()
	values := make([]any, len(raw))
	for i, buf := range raw {
		field := &r.result.FieldDescriptions[i]
		if buf == nil {
			continue
		}
		if t, ok := r.types.TypeForOID(field.DataTypeOID); ok {
			v, err := t.Codec.DecodeValue(r.types, field.DataTypeOID, field.Format, buf)
			if err != nil {
				return nil, r.fail(err)
			}
			values[i] = v
		} else if field.Format == pgx.TextFormatCode {
			values[i] = string(buf)
		} else {
			values[i] = buf
		}
	}
	return values, nil
}

// fail keeps the first error, which closes the rows.
func (r *bufferedRows) fail(err error) error {
	if err != nil {
		r.closed = true
		if r.err == nil {
			r.err = err
		}
	}
	return err
}
