package pagepairs

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/oddtypes"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

type (
	userID int64
	status string // an enum, which pgx does not know
	cents  int64
)

var (
	me     = ownerkit.Scope(userID(ownerkit.Alice))
	sealed = ownerkit.Cursors()
)

type pagedRow[V any] struct {
	ID     int64  `db:"id" owner:"pk"`
	UserID userID `db:"user_id" owner:"owner"`
	V      V      `db:"v"`
}

type pagedMin[V any] struct {
	ID int64 `db:"id"`
	V  V     `db:"v" owner:"min"`
}

// pairOfTypes is a Go type on the type of a column.
type pairOfTypes struct {
	name   string
	table  string
	column string
	values []string // SQL, without NULL
	page   func(ctx context.Context, db owner.DB, desc bool, cursor string, size int) (ids []int64, next string, err error)
	get    func(ctx context.Context, db owner.DB, id int64) error
}

var pairsMade atomic.Int64

func pairOf[V any](column string, values ...string) pairOfTypes {
	name := fmt.Sprint("paged_", pairsMade.Add(1)) // of its own: connections remember the types of a statement
	table := owner.MustTable[pagedRow[V], userID](name)
	id := owner.Column(table, func(r *pagedRow[V]) *int64 { return &r.ID })
	v := owner.Column(table, func(r *pagedRow[V]) *V { return &r.V })
	return pairOfTypes{
		name: fmt.Sprintf("%T on %s", *new(V), column), table: name, column: column, values: values,
		page: func(ctx context.Context, db owner.DB, desc bool, cursor string, size int) (ids []int64, next string, err error) {
			rows := table.In(me).OrderBy(v.Asc())
			if desc {
				rows = table.In(me).OrderBy(v.Desc(), id.Desc())
			}
			page, err := rows.Page(ctx, db, sealed, cursor, size)
			for _, r := range page.Rows {
				ids = append(ids, r.ID)
			}
			return ids, page.Next, err
		},
		get: func(ctx context.Context, db owner.DB, id int64) error {
			_, err := table.In(me).Get(ctx, db, id)
			return err
		},
	}
}

// minOf does the same over a view of the least value, which is the row's own.
func minOf[V, B any](column string, values ...string) pairOfTypes {
	p := pairOf[B](column, values...)
	table := owner.MustTable[pagedRow[B], userID](p.table)
	view := owner.MustView[pagedMin[V]](table)
	id := owner.Column(view, func(r *pagedMin[V]) *int64 { return &r.ID })
	v := owner.Column(view, func(r *pagedMin[V]) *V { return &r.V })
	p.name = "min as " + p.name
	p.page = func(ctx context.Context, db owner.DB, desc bool, cursor string, size int) (ids []int64, next string, err error) {
		rows := view.In(me).OrderBy(v.Asc())
		if desc {
			rows = view.In(me).OrderBy(v.Desc(), id.Desc())
		}
		page, err := rows.Page(ctx, db, sealed, cursor, size)
		for _, r := range page.Rows {
			ids = append(ids, r.ID)
		}
		return ids, page.Next, err
	}
	return p
}

var (
	someInts     = []string{"0", "1", "-1", "2", "32767", "-32768"}
	someNumerics = []string{"0", "0.1", "0.10000000000000000001", "0.10000000000000000002", "0.1000", "-0.1", "1e-30", "123456789012345678901234567890.5", "123456789012345678901234567890.25",
		"9007199254740992", "9007199254740993", "9007199254740993.5", "'NaN'", "'Infinity'", "'-Infinity'"}
	someFloats = []string{"0", "'-0'", "0.1", "0.2", "0.30000000000000004", "0.3", "16777216", "16777217", "1.7976931348623157e308", "5e-324", "-1e-40", "3.4e38", "'NaN'", "'Infinity'", "'-Infinity'"}
	someReals  = []string{"0", "0.1", "0.10000001", "0.2", "16777217", "16777216", "3.4e38", "1e-40", "'NaN'", "'Infinity'", "'-Infinity'"}
	someTexts  = []string{"''", "'a'", "'A'", "' a'", "'a '", "'ab'", "'Ä'", "'😀'", "e'a\\nb'", "'\\\\x00'", "'null'", "'%'", "repeat('x', 500)"}
	someTimes  = []string{"'2024-01-01 00:00:00.000001+00'", "'2024-01-01 00:00:00.000002+00'", "'2024-01-01 01:00:00.000001+00'", "'1969-12-31 23:59:59.999999+00'", "'0001-01-01 00:00:00+00'",
		"'0044-03-15 12:00:00+00 BC'", "'0005-02-28 23:59:59+00 BC'", "'0005-02-28 23:59:59+00 BC'::timestamptz + interval '1 day'", "'4713-01-01 00:00:00+00 BC'", "'9999-12-31 23:59:59.999999+00'", "'12000-01-01 00:00:00+00'", "'290000-01-01 00:00:00+00'", "'infinity'", "'-infinity'"}
	someDates = []string{"'2024-02-29'", "'1970-01-01'", "'0044-03-15 BC'", "'0001-12-31 BC'", "'9999-12-31'", "'12000-01-01'", "'infinity'", "'-infinity'"}
	someUUIDs = []string{"'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "'0b9e2bd2-bc0f-4f9e-8b3c-0d7a2c1f9a11'", "'0b9e2bd2-bc0f-4f9e-8b3c-0d7a2c1f9a12'"}
	someBytes = []string{`'\x'`, `'\x00'`, `'\x0001'`, `'\xff'`, `'\x5c78'`, `'\x61'`}
	someJSONs = []string{"'null'", "'0'", "'1.0'", "'1.00'", "'9007199254740993'", "'9007199254740992'", `'"null"'`, `'{}'`, `'[]'`, `'{"A": 1}'`, `'{"A": 1, "B": 2}'`, `'[1, null]'`}
	someSpans = []string{"'0'", "'1 month'", "'30 days'", "'720 hours'", "'-1 day'", "'0.000001 seconds'", "'100 years'", "'1 month -1 day'"}
)

// pairs has at least one Go type for each kind of column, and columns that hold more
// than the Go type.
func pairs() []pairOfTypes {
	extended := func(some []string, more ...string) []string { return append(slices.Clone(some), more...) }
	big := extended(someInts, "2147483647", "9223372036854775807", "-9223372036854775808", "9007199254740993", "9007199254740992")
	return []pairOfTypes{
		pairOf[int64]("int8", big...), pairOf[*int64]("int8", big...), pairOf[pgtype.Int8]("int8", big...), pairOf[oddtypes.ZeroIsNull]("int8", big...),
		pairOf[cents]("int8", big...), pairOf[uint64]("int8", big...), pairOf[int32]("int4", someInts...), pairOf[*int16]("int2", someInts...), pairOf[oddtypes.ZeroIsNull]("int4", someInts...),
		pairOf[float64]("numeric", someNumerics...), pairOf[*float64]("numeric", someNumerics...), pairOf[*float32]("numeric", someNumerics...), pairOf[pgtype.Numeric]("numeric", someNumerics...),
		pairOf[*string]("numeric", someNumerics...), pairOf[pgtype.Float8]("numeric", someNumerics...), pairOf[*int64]("numeric", someNumerics...), pairOf[*pgtype.Numeric]("numeric(12,4)", someNumerics...),
		pairOf[float64]("float8", someFloats...), pairOf[*float64]("float8", someFloats...), pairOf[pgtype.Float8]("float8", someFloats...), pairOf[*float32]("float8", someFloats...),
		pairOf[float32]("real", someReals...), pairOf[*float64]("real", someReals...), pairOf[pgtype.Float4]("real", someReals...),
		pairOf[string]("text", someTexts...), pairOf[*string]("text", someTexts...), pairOf[pgtype.Text]("text", someTexts...), pairOf[oddtypes.Masked]("text", someTexts...),
		pairOf[*oddtypes.Masked]("text", someTexts...), pairOf[oddtypes.Lowered]("text", someTexts...), pairOf[[]byte]("text", someTexts...),
		pairOf[*string]("varchar(600)", someTexts...), pairOf[*string]("char(3)", "''", "'a'", "'a '", "'A'", "'ab'", "'abc'", "'  a'"), pairOf[*oddtypes.Masked]("char(3)", "'a'", "'a '", "'ab'"),
		pairOf[*string](`"char"`, "'a'", "'b'", "' '"), pairOf[*string]("name", someTexts[:6]...), pairOf[*string]("citext", someTexts...),
		pairOf[time.Time]("timestamptz", someTimes...), pairOf[*time.Time]("timestamptz", someTimes...), pairOf[pgtype.Timestamptz]("timestamptz", someTimes...), pairOf[*oddtypes.DayOnly]("timestamptz", someTimes...),
		pairOf[*time.Time]("timestamptz(0)", someTimes...), pairOf[*time.Time]("timestamp", someTimes...), pairOf[pgtype.Timestamp]("timestamp", someTimes...), pairOf[*oddtypes.DayOnly]("timestamp", someTimes...),
		pairOf[*time.Time]("date", someDates...), pairOf[pgtype.Date]("date", someDates...), pairOf[*oddtypes.DayOnly]("date", someDates...),
		pairOf[pgtype.Time]("time", "'00:00'", "'23:59:59.999999'", "'24:00'", "'12:00:00.000001'"), pairOf[*string]("timetz", "'00:00+00'", "'23:59:59.999999+01'", "'12:00-08'", "'21:00+01'"),
		pairOf[*time.Duration]("interval", someSpans...), pairOf[pgtype.Interval]("interval", someSpans...),
		pairOf[bool]("bool", "true", "false"), pairOf[*bool]("bool", "true", "false"), pairOf[pgtype.Bool]("bool", "true", "false"),
		pairOf[[16]byte]("uuid", someUUIDs...), pairOf[pgtype.UUID]("uuid", someUUIDs...), pairOf[oddtypes.UUID]("uuid", someUUIDs...), pairOf[oddtypes.NullIsZeroID]("uuid", someUUIDs...), pairOf[*string]("uuid", someUUIDs...),
		pairOf[[]byte]("bytea", someBytes...), pairOf[*[]byte]("bytea", someBytes...),
		pairOf[json.RawMessage]("jsonb", someJSONs...), pairOf[*json.RawMessage]("jsonb", someJSONs...), pairOf[map[string]any]("jsonb", someJSONs...), pairOf[*oddtypes.Shape]("jsonb", someJSONs...), pairOf[*string]("jsonb", someJSONs...),
		pairOf[*status]("paged_state", "'open'", "'closed'", "'a''b'"), pairOf[*string]("paged_state", "'open'", "'closed'", "'a''b'"),
		pairOf[*netip.Prefix]("inet", "'10.0.0.1'", "'10.0.0.1/8'", "'::1'", "'10.0.0.0/8'"), pairOf[*netip.Addr]("inet", "'10.0.0.1'", "'::1'"), pairOf[*netip.Prefix]("cidr", "'10.0.0.0/8'", "'::/0'"),
		pairOf[[]string]("text[]", `'{}'`, `'{a,NULL}'`, `'{"a,b","\"",""}'`, `'{a}'`), pairOf[[]int64]("int8[]", "'{}'", "'{1,2}'", "'{1}'", "'{9223372036854775807}'"),
		pairOf[pgtype.Bits]("bit(4)", "b'0000'", "b'1010'", "b'1111'"), pairOf[pgtype.Bits]("varbit", "b''", "b'1010'", "b'1'"),
		pairOf[pgtype.Range[pgtype.Int4]]("int4range", "'empty'", "'[1,2)'", "'(,)'", "'[1,)'"), pairOf[*string]("money", "'1.10'", "'-5'", "'92233720368547758.07'"),
		minOf[*float64, float64]("numeric", someNumerics...), minOf[*oddtypes.ZeroIsNull, oddtypes.ZeroIsNull]("int8", big...), minOf[*time.Time, time.Time]("timestamptz", someTimes...), minOf[*float32, float32]("real", someReals...),
	}
}

// fill inserts each value twice, and NULL twice, except those that the engine or the
// Go type does not accept. It returns the number of rows.
func (p pairOfTypes) fill(t *testing.T, db *pgxpool.Pool) (rows int) {
	t.Helper()
	ctx := t.Context()
	if _, err := db.Exec(ctx, `create table `+p.table+` (id int8 primary key, user_id int8 not null, v `+p.column+`)`); err != nil {
		return 0
	}
	for i, v := range append(slices.Clone(p.values), "null") {
		for j := range 2 {
			id := int64(1 + (i*7+3)%29 + 100*j)
			if _, err := db.Exec(ctx, fmt.Sprintf("insert into %s values (%d, 42, %s)", p.table, id, v)); err != nil {
				break
			}
			if p.get(ctx, db, id) == nil {
				rows++
				continue
			}
			ownerkit.MustExec(t, db, fmt.Sprintf("delete from %s where id = %d", p.table, id))
		}
	}
	ownerkit.MustExec(t, db, "insert into "+p.table+" select id + 1000, 43, v from "+p.table)
	return rows
}

// sorted returns the rows of the table in their order.
func (p pairOfTypes) sorted(ctx context.Context, db *pgxpool.Pool, desc bool) ([]int64, error) {
	by := "v is null, v, id"
	if desc {
		by = "v is null desc, v desc, id desc"
	}
	rows, err := db.Query(ctx, "select id from "+p.table+" where user_id = 42 order by "+by)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// For every pair of types, pages contain each row once in both directions, or the
// first page is an error. None continues forever.
func TestPagesOfEveryPairOfTypes(t *testing.T) {
	require.GreaterOrEqual(t, len(pairs()), 40)
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, "create type paged_state as enum ('open', 'closed', 'a''b')")
		t.Run("modes", func(t *testing.T) {
			for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
				t.Run(mode.String(), func(t *testing.T) {
					t.Parallel()
					config := db.Config()
					config.ConnConfig.DefaultQueryExecMode = mode
					pool, err := pgxpool.NewWithConfig(t.Context(), config)
					require.NoError(t, err)
					defer pool.Close()
					pagesOfPairs(t, pool)
				})
			}
		})
	})
}

func pagesOfPairs(t *testing.T, db *pgxpool.Pool) {
	ctx := t.Context()
	sorted, refused := 0, map[string]string{}
	for _, p := range pairs() {
		n := p.fill(t, db)
		if n == 0 {
			continue // no such type here, or no value of it fits
		}
		for _, desc := range []bool{false, true} {
			want, err := p.sorted(ctx, db, desc)
			for _, size := range []int{1, 3, n} {
				got, failure := p.walk(ctx, db, desc, size, n)
				if failure != nil {
					refused[p.name] = failure.Error()
					require.Empty(t, got, "%s by %d, desc %v: an error behind the first page: %v", p.name, size, desc, failure)
					continue
				}
				require.NoError(t, err, p.name)
				require.Equal(t, want, got, "%s by %d, desc %v", p.name, size, desc)
			}
		}
		if refused[p.name] == "" {
			sorted++
		}
	}
	t.Logf("%d pairs have pages, %d are refused: %v", sorted, len(refused), refused)
	require.GreaterOrEqual(t, sorted, 40)
}

// walk reads the pages, up to the possible number.
func (p pairOfTypes) walk(ctx context.Context, db owner.DB, desc bool, size, rows int) (got []int64, err error) {
	for cursor := ""; len(got) <= 2*rows; {
		ids, next, err := p.page(ctx, db, desc, cursor, size)
		if err != nil {
			return got, err
		}
		got = append(got, ids...)
		if cursor = next; cursor == "" {
			break
		}
	}
	return got, nil
}

// PostgreSQL has no parameters of composite types, so the first page refuses them,
// whatever the rows hold: nothing but NULL, in either direction, or values.
func TestPagesOfACompositeType(t *testing.T) {
	eachPostgreSQL(t, func(t *testing.T, db *pgxpool.Pool) {
		ownerkit.MustExec(t, db, "create type paged_place as (n int, name text); create domain paged_spot as paged_place")
		for _, column := range []string{"paged_place", "paged_spot"} {
			for _, values := range [][]string{{}, {"'(,)'"}, {"'(1,a)'", `'(1,"b,c")'`, "'(,)'"}} {
				p := pairOf[*string](column, values...)
				rows := p.fill(t, db)
				require.Equal(t, 2*(len(values)+1), rows)
				for _, desc := range []bool{false, true} {
					got, err := p.walk(t.Context(), db, desc, 1, rows)
					require.ErrorContains(t, err, "composite type", "%s, desc %v: %v", p.name, desc, values)
					require.Empty(t, got, "%s, desc %v: %v", p.name, desc, values)
				}
			}
		}
	})
}

// A connection that knows the type needs no values either.
func TestPagesOfACompositeTypeThatIsRegistered(t *testing.T) {
	eachPostgreSQL(t, func(t *testing.T, db *pgxpool.Pool) {
		ownerkit.MustExec(t, db, "create type paged_place as (n int, name text)")
		p := pairOf[*string]("paged_place")
		rows := p.fill(t, db)
		require.Positive(t, rows)
		conn, err := db.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		place, err := conn.Conn().LoadType(t.Context(), "paged_place")
		require.NoError(t, err)
		conn.Conn().TypeMap().RegisterType(place)
		got, err := p.walk(t.Context(), conn, false, rows, rows)
		require.ErrorContains(t, err, "composite type", "the only page is refused too")
		require.Empty(t, got)
	})
}

// Types around them have parameters, and values that look alike.
func TestPagesOfTypesThatLookComposite(t *testing.T) {
	eachPostgreSQL(t, func(t *testing.T, db *pgxpool.Pool) {
		ownerkit.MustExec(t, db, "create type paged_point as (n int, name text); create type paged_points as range (subtype = paged_point);"+
			"create type paged_floats as range (subtype = float8); create type paged_state as enum ('(open)', '(,)')")
		for _, p := range []pairOfTypes{
			pairOf[*string]("paged_point[]", `'{"(1,a)","(,)"}'`, "'{}'", `array[row(1,'a')]::paged_point[]`),
			pairOf[*string]("paged_points", `'["(1,a)","(2,b)")'`, "'(,)'", "'empty'"),
			pairOf[*string]("paged_floats", "'(1,2)'", "'(,)'", "'empty'"),
			pairOf[*string]("paged_state", "'(open)'", "'(,)'"),
			pairOf[*string]("paged_state"),
		} {
			rows := p.fill(t, db)
			require.Positive(t, rows, p.name)
			for _, desc := range []bool{false, true} {
				want, err := p.sorted(t.Context(), db, desc)
				require.NoError(t, err, p.name)
				got, err := p.walk(t.Context(), db, desc, 1, rows)
				require.NoError(t, err, "%s, desc %v", p.name, desc)
				require.Equal(t, want, got, "%s, desc %v", p.name, desc)
			}
		}
	})
}

func eachPostgreSQL(t *testing.T, test func(t *testing.T, db *pgxpool.Pool)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("it has no such types")
		}
		test(t, db.Pool)
	})
}
