package schema

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// checkColumns compares the fields of the struct with the columns.
func (v *verification) checkColumns(t *table, l *liveTable) {
	for _, c := range t.Columns {
		if lc := l.Column(c.Name); lc != nil {
			v.checkColumn(t, l, c, lc)
			continue
		}
		var sql []string
		if typ := sqlType(c.Type); typ != "" && !l.IsView() {
			sql = []string{"alter table " + t.Quoted + " add column " + c.Quoted + " " + typ + notNull(c) + ";"}
		}
		v.report(Broken, t.Name, c.Name, sql, "there is no such column, so every statement fails")
	}
	if t.Shared || l.IsView() {
		return // never inserted into
	}
	for _, lc := range l.Columns {
		if lc.RefusesNull() && !lc.HasDefault && lc.Identity == "" && !lc.Generated && !slices.Contains(names(t.Columns), lc.Name) {
			v.report(Broken, t.Name, lc.Name, []string{v.alter(t, lc.Name, "drop not null")},
				"it is NOT NULL without a default, and the struct does not have it, so every insert fails")
		}
	}
}

func (v *verification) alter(t *table, column, what string) string {
	return "alter table " + t.Quoted + " alter column " + quotedList([]string{column}) + " " + what + ";"
}

func (v *verification) alterType(t *table, c *column) []string {
	typ := sqlType(c.Type)
	if typ == "" {
		return nil
	}
	sql := []string{v.alter(t, c.Name, "type "+typ+" using "+c.Quoted+"::"+typ)}
	if v.live.Cockroach {
		sql = []string{"set enable_experimental_alter_column_type_general = on;", v.alter(t, c.Name, "type "+typ)}
	}
	return sql
}

func (v *verification) checkColumn(t *table, l *liveTable, c *column, lc *liveColumn) {
	sql := v.alterType(t, c)
	if l.IsView() {
		sql = nil
	}
	column, width := integers[uint32(lc.Type)], goWidth(c.Type)
	switch {
	case c == t.Version && column == 0:
		v.report(Broken, t.Name, c.Name, sql, "it is of type %s, but a version is an integer", lc.TypeName)
	case v.unregistered(c.Type, lc.Type):
		v.report(Broken, t.Name, c.Name, sql, "it is of type %s, which pgx does not know by itself, so a %s cannot be sent: let pgxpool.Config.AfterConnect register it (Conn.LoadType)", lc.TypeName, c.Type)
	case pgvalue.Elem(c.Type) == reflect.TypeFor[time.Time]() && lc.Type == pgtype.TimestampOID:
		if sql != nil && !v.live.Cockroach {
			sql = []string{v.alter(t, c.Name, "type timestamptz using "+c.Quoted+" at time zone 'UTC'")}
		}
		v.report(Broken, t.Name, c.Name, sql, "it is of type %s, which keeps what the clock of a time.Time shows and not its zone, so one that is not in UTC is another time when it is read", lc.TypeName)
	case !fits(v.types, c.Type, lc.Type):
		v.report(Broken, t.Name, c.Name, sql, "it is of type %s, which does not go together with a %s", lc.TypeName, c.Type)
	case column > width && width > 0:
		v.report(Broken, t.Name, c.Name, sql, "it is of type %s, so it can hold numbers that the %s of the struct cannot, and these cannot be read", lc.TypeName, c.Type)
	case column < width && column > 0:
		v.report(Advice, t.Name, c.Name, sql, "it is of type %s, so it does not take all numbers that the %s of the struct can hold", lc.TypeName, c.Type)
	default:
		v.checkLoss(t, c, lc)
	}
	if l.IsView() {
		return // a view has no NOT NULL
	}
	switch {
	case slices.Contains(t.Owners, c): // see checkOwners
	case lc.NotValid && !c.Nullable:
		v.report(Broken, t.Name, c.Name, []string{v.alter(t, c.Name, "set not null")},
			"its NOT NULL is NOT VALID, so in rows from before it can be NULL, which a %s cannot hold, and these cannot be read", c.Type)
	case !lc.RefusesNull() && !c.Nullable:
		v.report(Broken, t.Name, c.Name, []string{v.alter(t, c.Name, "set not null")},
			"it can be NULL, which a %s cannot hold, so a row with NULL cannot be read", c.Type)
	case lc.RefusesNull() && c.Type.Kind() == reflect.Pointer && !c.Optional():
		v.report(Advice, t.Name, c.Name, []string{v.alter(t, c.Name, "drop not null")},
			"it is NOT NULL, but the %s of the struct can be nil, and then the insert fails", c.Type)
	}
	if t.Shared {
		return
	}
	v.checkKeyDefault(t, c, lc)
	if c == t.Version && zero.MatchString(lc.Default) && !lc.Generated {
		v.report(Broken, t.Name, c.Name, []string{
			v.alter(t, c.Name, "set default 1"), "update " + t.Quoted + " set " + c.Quoted + " = 1 where " + c.Quoted + " < 1;",
		}, "its default is 0, but versions begin with 1, so no Update.At and no If-Match can change a row that has it")
	}
	if lc.Generated && !(c.Default && c.Server) {
		v.report(Broken, t.Name, c.Name, v.ungenerate(t, c, lc),
			`it is generated, so an insert or update that sets it fails; or tag the field owner:"server,default", and leave it zero`)
	}
}

// zero matches a default of 0, with its type on CockroachDB.
var zero = regexp.MustCompile(`^\(*'?-?0+'?\)*(:{2,3}\w+)?\)*$`)

// ungenerate returns the SQL that makes the column an ordinary one with its current
// values.
func (v *verification) ungenerate(t *table, c *column, lc *liveColumn) []string {
	switch {
	case lc.Virtual:
		copied := quotedList([]string{"rowkeeper_was_virtual"})
		sql := []string{
			"alter table " + t.Quoted + " add column " + copied + " " + lc.TypeName + ";",
			"update " + t.Quoted + " set " + copied + " = " + c.Quoted + ";",
			"alter table " + t.Quoted + " drop column " + c.Quoted + ";",
			"alter table " + t.Quoted + " rename column " + copied + " to " + c.Quoted + ";",
		}
		if lc.RefusesNull() {
			sql = append(sql, v.alter(t, c.Name, "set not null"))
		}
		return sql
	case v.live.Cockroach:
		return []string{v.alter(t, c.Name, "drop stored")}
	}
	return []string{v.alter(t, c.Name, "drop expression")}
}

// unregistered reports whether the type is one of the application's own that its
// connections do not know, and the Go type is a slice, which pgx then cannot convert.
func (v *verification) unregistered(t reflect.Type, oid int64) bool {
	t = pgvalue.Elem(t)
	if v.live.Types == nil || t.Kind() != reflect.Slice || t.Elem().Kind() == reflect.Uint8 || reflect.PointerTo(t).Implements(pgvalue.Valuer) {
		return false
	}
	if _, known := v.live.Types.TypeForOID(uint32(oid)); known {
		return false
	}
	return v.live.Types.PlanEncode(uint32(oid), pgtype.TextFormatCode, reflect.MakeSlice(t, 0, 0).Interface()) == nil
}

// checkKeyDefault checks whether the client or the database fills a part of a key of
// several columns.
func (v *verification) checkKeyDefault(t *table, c *column, lc *liveColumn) {
	filled := lc.HasDefault || lc.Identity != "" || lc.Generated
	switch {
	case !c.PrimaryKey || slices.Contains(t.Owners, c) || slices.Contains(t.Parent, c) || refers(t, c) || len(t.Key) < 2:
	case filled && !c.Default:
		v.report(Broken, t.Name, c.Name, nil,
			`it has a default, but in a key of several columns zero is a value like others, and is inserted; tag the field owner:"pk,default", or drop the default`)
	case !filled && c.Default:
		v.report(Broken, t.Name, c.Name, nil, "it is tagged default and has none, so an insert that leaves it to the database fails")
	}
}

// refers reports whether the column is part of a declared foreign key.
func refers(t *table, c *column) bool {
	return slices.ContainsFunc(t.References, func(r *core.Reference) bool { return slices.Contains(r.From, c) })
}

// integers maps integer types to their sizes in bits.
var integers = map[uint32]int{pgtype.Int2OID: 16, pgtype.Int4OID: 32, pgtype.Int8OID: 64}

// goWidth returns the size in bits of the signed integer that holds a t, or 0 if t is
// not a plain integer. Values of uint64 beyond int64 are ignored.
func goWidth(t reflect.Type) int {
	t = pgvalue.Elem(t)
	if reflect.PointerTo(t).Implements(pgvalue.Valuer) {
		return 0
	}
	switch t.Kind() {
	case reflect.Int8, reflect.Uint8, reflect.Int16:
		return 16
	case reflect.Uint16, reflect.Int32:
		return 32
	case reflect.Int, reflect.Int64, reflect.Uint, reflect.Uint32, reflect.Uint64:
		return 64
	}
	return 0
}

// fits reports whether pgx can send a t as that type and read it back. The types of
// the application itself are not known.
func fits(types *pgtype.Map, t reflect.Type, oid int64) bool {
	id := uint32(oid)
	known, ok := types.TypeForOID(id)
	if !ok || reflect.PointerTo(t).Implements(pgvalue.Valuer) || reflect.PointerTo(pgvalue.Elem(t)).Implements(pgvalue.Valuer) {
		return true
	}
	if pgvalue.Elem(t).Kind() == reflect.String && integers[id] > 0 {
		return false // pgx would leave the decision to the value
	}
	unscannable := reflect.TypeOf(types.PlanScan(pgtype.BoolOID, pgtype.BinaryFormatCode, new(chan bool)))
	target := reflect.New(t)
	if reflect.TypeOf(types.PlanScan(id, types.FormatCodeForOID(id), target.Interface())) == unscannable {
		return false
	}
	value := target.Elem()
	if value.Kind() == reflect.Pointer {
		value = reflect.New(t.Elem())
	}
	sent := func(format int16) bool {
		return known.Codec.FormatSupported(format) && types.PlanEncode(id, format, value.Interface()) != nil
	}
	return sent(pgtype.BinaryFormatCode) || sent(pgtype.TextFormatCode)
}

// sqlType returns the most likely type of a column for t, or "".
func sqlType(t reflect.Type) string {
	t = pgvalue.Elem(t)
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String {
		return "text[]"
	}
	switch t {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[pgtype.Timestamptz]():
		return "timestamptz"
	case reflect.TypeFor[pgtype.Timestamp]():
		return "timestamp"
	case reflect.TypeFor[pgtype.Date]():
		return "date"
	case reflect.TypeFor[pgtype.UUID]():
		return "uuid"
	case reflect.TypeFor[pgtype.Numeric]():
		return "numeric"
	case reflect.TypeFor[pgtype.Text]():
		return "text"
	case reflect.TypeFor[pgtype.Bool]():
		return "bool"
	case reflect.TypeFor[pgtype.Int8]():
		return "int8"
	case reflect.TypeFor[pgtype.Int4]():
		return "int4"
	case reflect.TypeFor[pgtype.Int2]():
		return "int2"
	case reflect.TypeFor[pgtype.Float8]():
		return "float8"
	}
	if w := goWidth(t); w > 0 {
		return map[int]string{16: "int2", 32: "int4", 64: "int8"}[w]
	}
	bytes := (t.Kind() == reflect.Array || t.Kind() == reflect.Slice) && t.Elem().Kind() == reflect.Uint8
	switch k := t.Kind(); {
	case bytes && k == reflect.Array && t.Len() == 16:
		return "uuid"
	case reflect.PointerTo(t).Implements(pgvalue.Valuer):
		return ""
	case k == reflect.String:
		return "text"
	case k == reflect.Bool:
		return "bool"
	case k == reflect.Float32:
		return "float4"
	case k == reflect.Float64:
		return "float8"
	case bytes && k == reflect.Slice:
		return "bytea"
	case k == reflect.Map:
		return "jsonb"
	}
	return ""
}

func notNull(c *column) string {
	if c.Nullable {
		return ""
	}
	return " not null"
}

// createTable returns the SQL that creates the table, without the constraints that
// the checks of indexes and references ask for.
func createTable(t *table) []string {
	var parts, pk []string
	for _, c := range t.Columns {
		typ := sqlType(c.Type)
		if typ == "" {
			return nil
		}
		parts = append(parts, c.Quoted+" "+typ+notNull(c))
		if c.PrimaryKey {
			pk = append(pk, c.Name)
		}
	}
	parts = append(parts, "primary key ("+quotedList(pk)+")")
	return []string{"create table " + t.Quoted + " (" + strings.Join(parts, ", ") + ");"}
}
