package schema

import (
	"bytes"
	"reflect"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// samples are values, as text, that types of an application often cannot hold.
var samples = map[uint32][]string{
	pgtype.Int2OID:        {"0", "1"},
	pgtype.Int4OID:        {"0", "1"},
	pgtype.Int8OID:        {"0", "1", "9007199254740993"},
	pgtype.NumericOID:     {"0", "0.12345678901234567891"},
	pgtype.Float4OID:      {"0", "0.1"},
	pgtype.Float8OID:      {"0", "0.1"},
	pgtype.TextOID:        {"", "Aa", " a "},
	pgtype.VarcharOID:     {"", "Aa", " a "},
	pgtype.BoolOID:        {"f", "t"},
	pgtype.TimestamptzOID: {"2024-01-02 03:04:05.678901+00"},
	pgtype.TimestampOID:   {"2024-01-02 03:04:05.678901"},
	pgtype.DateOID:        {"2024-01-02"},
	pgtype.IntervalOID:    {"1 mon 2 days 00:00:03"},
	pgtype.UUIDOID:        {"00000000-0000-0000-0000-000000000000", "0b9e2bd2-bc0f-4f9e-8b3c-0d7a2c1f9a11"},
	pgtype.ByteaOID:       {`\x`, `\x00ff`},
	pgtype.JSONBOID:       {"null"},
}

// lossy finds a value of that type that changes when it is read into a t and sent
// back.
func lossy(types *pgtype.Map, t reflect.Type, oid uint32, notNull bool) (value, becomes string, found bool) {
	defer func() {
		if recover() != nil { // a method panicked
			found = false
		}
	}()
	if !notNull {
		if sent, ok := roundTrip(types, t, oid, pgx.TextFormatCode, nil); ok && sent != nil {
			return "NULL", displayed(sent), true
		}
	}
	for _, text := range samples[oid] {
		if raw, format := wire(types, oid, text); raw != nil {
			if sent, ok := roundTrip(types, t, oid, format, raw); ok && (sent == nil || !bytes.Equal(sent, normalizedText(types, oid, []byte(text)))) {
				return displayed([]byte(text)), displayed(sent), true
			}
		}
	}
	return "", "", false
}

func displayed(text []byte) string {
	switch {
	case text == nil:
		return "NULL"
	case bytes.Equal(text, bytes.TrimSpace(text)) && len(text) > 0:
		return string(text)
	}
	return "'" + string(text) + "'"
}

// wire returns a value as the server sends it.
func wire(types *pgtype.Map, oid uint32, text string) ([]byte, int16) {
	format := types.FormatCodeForOID(oid)
	if t, ok := types.TypeForOID(oid); ok && format == pgx.BinaryFormatCode {
		v, err := t.Codec.DecodeValue(types, oid, pgx.TextFormatCode, []byte(text))
		if err != nil {
			return nil, 0
		}
		raw, err := types.Encode(oid, format, v, []byte{})
		if err != nil {
			return nil, 0
		}
		return raw, format
	}
	return []byte(text), pgx.TextFormatCode
}

// roundTrip reads a value into a t and returns what is sent for it, as text, or nil
// for NULL. It is not ok if reading or sending fails: then nothing is lost silently.
func roundTrip(types *pgtype.Map, t reflect.Type, oid uint32, format int16, raw []byte) (sent []byte, ok bool) {
	field := reflect.New(t)
	if types.Scan(oid, format, raw, field.Interface()) != nil {
		return nil, false
	}
	arg := pgvalue.Argument(field.Elem())
	switch null, err := pgvalue.IsNull(arg); {
	case err != nil:
		return nil, false
	case null:
		return nil, true
	}
	sent, err := types.Encode(oid, pgx.TextFormatCode, arg, []byte{}) // not nil, for an empty text
	if err != nil {
		return nil, false
	}
	return normalizedText(types, oid, sent), true
}

// normalizedText returns the same text for all notations of a value.
func normalizedText(types *pgtype.Map, oid uint32, text []byte) []byte {
	t, ok := types.TypeForOID(oid)
	if !ok || oid == pgtype.JSONBOID {
		return text
	}
	v, err := t.Codec.DecodeValue(types, oid, pgx.TextFormatCode, text)
	if err != nil {
		return text
	}
	if one, err := types.Encode(oid, pgx.TextFormatCode, v, []byte{}); err == nil {
		return one
	}
	return text
}

// checkLoss reports values that are lost between the column and the field.
func (v *verification) checkLoss(t *table, c *column, lc *liveColumn) {
	if v.live.Cockroach && uint32(lc.Type) == pgtype.Float4OID {
		var sql []string
		if sqlType(c.Type) == "float8" {
			sql = v.alterType(t, c)
		}
		v.report(Advice, t.Name, c.Name, sql, "it is of type real, of which CockroachDB keeps more than it gives out, so a value that was read may not be found again, and no page can be sorted by it")
		return
	}
	if value, becomes, found := lossy(v.types, c.Type, uint32(lc.Type), lc.RefusesNull()); found {
		v.report(Advice, t.Name, c.Name, nil, "it is of type %s, of which a %s does not hold every value: %s is %s once it was read and is written back",
			lc.TypeName, c.Type, value, becomes)
	}
}
