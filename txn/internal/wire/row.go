package wire

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Row is the first row of a result, in memory of its own.
type Row struct {
	Fields []pgconn.FieldDescription
	Values [][]byte // as sent; nil is NULL
	Found  bool

	// Most rows fit here.
	values [3][]byte
	bytes  [32]byte
}

// ReadFrom keeps the first of the rows, and reads all others.
func (r *Row) ReadFrom(rows pgx.Rows) error {
	if rows.Next() {
		r.Fields = append(r.Fields, rows.FieldDescriptions()...)
		r.keep(rows.RawValues())
	}
	rows.Close()
	return rows.Err()
}

// keep keeps the values, if they are of the first row.
func (r *Row) keep(values [][]byte) {
	if !r.Found {
		r.Found = true
		r.Values = copyInto(r.values[:0], r.bytes[:0], values)
	}
}

func copied(values [][]byte) [][]byte { return copyInto(nil, nil, values) }

// copyInto copies values into the capacity of two slices, if it suffices.
func copyInto(into [][]byte, bytes []byte, values [][]byte) [][]byte {
	size := 0
	for _, v := range values {
		size += len(v)
	}
	if size > cap(bytes) || bytes == nil {
		bytes = make([]byte, 0, size)
	}
	if len(values) > cap(into) {
		into = make([][]byte, 0, len(values))
	}
	for _, v := range values {
		if v == nil {
			into = append(into, nil)
			continue
		}
		start := len(bytes)
		bytes = append(bytes, v...)
		into = append(into, bytes[start:len(bytes):len(bytes)])
	}
	return into
}

// Keep copies rows, so that they outlive their packet. Rows that have already failed
// have no fields.
func Keep(into *pgconn.Result, rows pgx.Rows) (pgconn.CommandTag, error) {
	if into.Err = rows.Err(); into.Err != nil {
		rows.Close()
		return pgconn.CommandTag{}, into.Err
	}
	into.FieldDescriptions = append(into.FieldDescriptions[:0], rows.FieldDescriptions()...)
	into.Rows = nil
	for rows.Next() {
		into.Rows = append(into.Rows, copied(rows.RawValues()))
	}
	into.CommandTag, into.Err = rows.CommandTag(), rows.Err()
	return into.CommandTag, into.Err
}
