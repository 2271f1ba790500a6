package core

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// A position is the place of a row in an order: for each column of the order the
// value as the database writes it, or nil for NULL. It does not come from the Go row,
// whose types may hold less than the columns.
type position []*string

func (p position) equal(other position) bool {
	return slices.EqualFunc(p, other, func(a, b *string) bool {
		return a == b || a != nil && b != nil && *a == *b
	})
}

// addresses returns the destinations for scanning a position.
func (p position) addresses(to []any) []any {
	for i := range p {
		to = append(to, &p[i])
	}
	return to
}

// positions writes the columns of the order as text, under names that no ORDER BY
// refers to.
func (s *Statement) positions(orders []Order) {
	for i, o := range orders {
		s.text(", cast(")
		s.column(o.Column)
		s.text(` as text) as "rowkeeper cursor `)
		s.number(i)
		s.text(`"`)
	}
}

// correct replaces the values of floats in the position by those that the row has in
// binary: CockroachDB writes 15 digits of them as text, and PostgreSQL as many as the
// session says. It refuses floats that the database would not find again.
func (q *Query) correct(at position, db DB, rows pgx.Rows) error {
	fields, raw := rows.FieldDescriptions(), rows.RawValues()
	for i, o := range q.Order {
		n := slices.Index(q.Table.Readable, o.Column)
		if n >= len(fields) || n >= len(raw) {
			continue
		}
		f := fields[n]
		inBinary := f.Format == pgx.BinaryFormatCode
		switch {
		case f.DataTypeOID == pgtype.Float4OID && cockroach(db, rows):
			return Misuse("column %s: CockroachDB keeps more of a real than it gives out, so no page can be sorted by it; make it a float8", o.Column)
		case f.DataTypeOID == pgtype.Float8OID && !inBinary && cockroach(db, rows):
			return Misuse("column %s: CockroachDB rounds a float8 that it gives out as text, so no page can be sorted by it in this QueryExecMode", o.Column)
		case at[i] == nil:
		case inBinary && (f.DataTypeOID == pgtype.Float4OID || f.DataTypeOID == pgtype.Float8OID):
			at[i] = floatText(raw[n])
		}
	}
	return nil
}

func floatText(raw []byte) *string {
	var text string
	if len(raw) == 4 {
		text = strconv.FormatFloat(float64(math.Float32frombits(binary.BigEndian.Uint32(raw))), 'g', -1, 32)
	} else {
		text = strconv.FormatFloat(math.Float64frombits(binary.BigEndian.Uint64(raw)), 'g', -1, 64)
	}
	return &text
}

// cockroach reports whether the rows come from CockroachDB. If the rows do not tell,
// it asks the database.
func cockroach(db DB, rows pgx.Rows) bool {
	conn := rows.Conn()
	if c, ok := db.(interface{ Conn() *pgx.Conn }); ok && conn == nil {
		conn = c.Conn()
	}
	return conn != nil && conn.PgConn().ParameterStatus("crdb_version") != ""
}

// typeMaps holds maps of the types that pgx knows by default. A pgtype.Map caches
// plans, so only one goroutine at a time may use it.
var typeMaps = sync.Pool{New: func() any { return pgtype.NewMap() }}

// written returns a value in the text format of pgx.
func written(field reflect.Value) (*string, error) {
	types := typeMaps.Get().(*pgtype.Map)
	defer typeMaps.Put(types)
	t, ok := types.TypeForValue(field.Interface())
	if !ok {
		text := fmt.Sprint(field.Interface())
		return &text, nil
	}
	b, err := types.Encode(t.OID, pgx.TextFormatCode, pgvalue.Argument(field), nil)
	if b == nil || err != nil {
		return nil, err
	}
	text := string(b)
	return &text, nil
}
