package admission

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"math/big"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
)

func printOf(args ...any) Fingerprint { return OfStatement("s", args, true) }

func TestFingerprint(t *testing.T) {
	t.Parallel()
	type id int64
	type point struct {
		X, Y int
		Name *string
	}
	text := func(s string) *string { return &s }
	now := time.Now()
	same := [][2][]any{
		{{1, "a"}, {1, "a"}},
		{{int32(1)}, {int64(1)}},
		{{id(1)}, {1}},
		{{text("a")}, {text("a")}},
		{{[]byte("a")}, {[]byte("a")}},
		{{now}, {now.UTC()}},
		{{&now}, {now}},
		{{point{1, 2, text("a")}}, {point{1, 2, text("a")}}},
		{{&point{1, 2, text("a")}}, {&point{1, 2, text("a")}}},
		{{[]string{"a", "b"}}, {[]string{"a", "b"}}},
		{{[16]byte{1}}, {[16]byte{1}}},
		{{nil}, {(*string)(nil)}},
	}
	for _, pair := range same {
		require.Equal(t, printOf(pair[0]...), printOf(pair[1]...), "%v", pair)
		require.NotZero(t, printOf(pair[0]...))
	}
	different := [][2][]any{
		{{"ab", "c"}, {"a", "bc"}},
		{{1}, {"1"}},
		{{1}, {2}},
		{{1.0}, {1}},
		{{true}, {1}},
		{{""}, {nil}},
		{{text("a")}, {text("b")}},
		{{[]string{"a", "b"}}, {[]string{"ab"}}},
		{{[]byte("a")}, {[]byte("b")}},
		{{now}, {now.Add(1)}},
		{{point{1, 2, nil}}, {point{2, 1, nil}}},
		{{[16]byte{1}}, {[16]byte{2}}},
		{{1}, {1, 1}},
	}
	for _, pair := range different {
		require.NotEqual(t, printOf(pair[0]...), printOf(pair[1]...), "%v", pair)
	}
	require.NotEqual(t, OfStatement("a", nil, true), OfStatement("b", nil, true))
	require.NotEqual(t, OfStatement("a", []any{"b"}, true), OfParts([]any{"a", "b"}))
	type ring struct{ Next *ring }
	r := &ring{}
	r.Next = r
	for _, v := range []any{map[string]int{}, make(chan int), func() {}, r, []any{make(chan int)}, complex(1, 1)} {
		require.Zero(t, printOf(v), "%T has no value to go by", v)
	}
}

// While there are no queues, values that are costly or run user code are skipped.
func TestFingerprintInPassing(t *testing.T) {
	t.Parallel()
	type uuid [16]byte
	name := "a"
	for _, v := range []any{1, "a", []byte("a"), true, time.Now(), uuid{1}, 1.5, nil} {
		require.Equal(t, printOf(v), OfStatement("s", []any{v}, false), "%T", v)
	}
	for _, v := range []any{&name, []string{"a"}, pgtype.Int8{Int64: 1, Valid: true}, struct{ N int }{1}} {
		require.NotZero(t, printOf(v), "%T", v)
		require.Zero(t, OfStatement("s", []any{v}, false), "%T", v)
	}
}

// guarded is a value that only its own code may read.
type guarded struct {
	mu sync.Mutex
	n  int64
}

func (g *guarded) Value() (driver.Value, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.n, nil
}

// measure has methods of its own, which may use a lock that cannot be seen here.
type measure struct{ N int64 }

func (m *measure) Int64Value() (pgtype.Int8, error) { return pgtype.Int8{Int64: m.N, Valid: true}, nil }

type valuer func() (driver.Value, error)

func (v valuer) Value() (driver.Value, error) { return v() }

// A type with its own encoding counts by that, and never by unexported fields.
func TestFingerprintOfWhatEncodesItself(t *testing.T) {
	t.Parallel()
	one, two := &guarded{n: 1}, &guarded{n: 2}
	require.Equal(t, printOf(int64(1)), printOf(one))
	require.Equal(t, printOf([]any{int64(1), int64(2)}), printOf([]any{one, two}))
	require.Equal(t, printOf(nil), printOf((*guarded)(nil)))
	require.Equal(t, printOf("a"), printOf(sql.NullString{String: "a", Valid: true}))
	require.Equal(t, printOf(nil), printOf(sql.NullString{String: "a"}))
	number := func(n int64) pgtype.Numeric { return pgtype.Numeric{Int: big.NewInt(n), Valid: true} }
	require.Equal(t, printOf(number(12)), printOf(number(12)))
	require.NotEqual(t, printOf(number(12)), printOf(number(13)))
	id := func(b byte) pgtype.UUID { return pgtype.UUID{Bytes: [16]byte{b}, Valid: true} }
	ids := func(b byte) pgtype.Array[pgtype.UUID] {
		return pgtype.Array[pgtype.UUID]{Elements: []pgtype.UUID{id(b)}, Valid: true}
	}
	require.Equal(t, printOf(ids(1)), printOf(ids(1)))
	require.NotEqual(t, printOf(ids(1)), printOf(ids(2)))
	require.Equal(t, printOf(int64(1)), printOf(valuer(func() (driver.Value, error) { return int64(1), nil })), "whatever its kind")

	for _, v := range []any{
		&sync.Mutex{}, struct{ n int }{1}, &struct{ n int }{1}, big.NewInt(1), netip.MustParseAddr("::1"), &measure{1},
		struct{ Inner struct{ n int } }{}, []any{&struct{ n int }{1}},
		valuer(func() (driver.Value, error) { return nil, errors.New("not today") }),
		valuer(func() (driver.Value, error) { panic("not today") }),
		valuer(func() (driver.Value, error) { return map[string]int{}, nil }),
		valuer(nil),
	} {
		require.Zero(t, printOf(v), "%T", v)
	}
}
