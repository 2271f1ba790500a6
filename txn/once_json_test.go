package txn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// Types for requests and results. Some hide a part of themselves from encoding/json.
type (
	money  struct{ cents int }
	pay    struct{ To, Price any }
	order  struct{ Items []line }
	line   struct{ Price money }
	Base   struct{ ID int }
	Other  struct{ ID int }
	hidden struct {
		A int
		b int
	}
	tagged struct {
		A int
		B int `json:"-"`
	}
	shadows struct {
		Base
		ID int
	}
	ambiguous struct {
		Base
		Other
	}
	stamped struct {
		time.Time
		Amount int
	}
	withError struct {
		error
		N int
	}
	renamed struct {
		A int `json:"a"`
		B int `json:"A,omitempty"`
	}
	coin      string // encodes itself as text
	euro      struct{ cents int64 }
	byMethod  struct{ cents int } // has a method for pointers only
	lossy     struct{ N, ignored int }
	recursive struct {
		N    int
		Next *recursive
	}
	empty struct {
		_ [4]byte
		_ struct{}
		N int
	}
)

func (c coin) MarshalText() ([]byte, error)     { return []byte(c), nil }
func (c *coin) UnmarshalText(text []byte) error { *c = coin(text); return nil }
func (e euro) MarshalJSON() ([]byte, error)     { return json.Marshal(e.cents) }
func (e *euro) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &e.cents) }
func (m *byMethod) MarshalJSON() ([]byte, error) {
	return json.Marshal(m.cents)
}
func (l lossy) MarshalJSON() ([]byte, error) { return json.Marshal(l.N) }

func ptr[T any](v T) *T { return &v }

// differentRequests are pairs that were once considered equal, or are close to it.
// refused is part of the reason, or empty if they are distinguished.
var differentRequests = map[string]struct {
	a, b    any
	refused string
}{
	"unexported field":            {hidden{1, 2}, hidden{1, 3}, "b is not exported"},
	"pointer to it":               {&hidden{1, 2}, &hidden{1, 3}, "b is not exported"},
	"nil pointer to it":           {(*hidden)(nil), &hidden{1, 3}, "b is not exported"},
	"nested":                      {struct{ M money }{money{5}}, struct{ M money }{money{500}}, "M.cents is not exported"},
	"slice":                       {[]money{{5}}, []money{{500}}, "[].cents is not exported"},
	"slice in slice":              {order{[]line{{money{5}}}}, order{[]line{{money{500}}}}, "Items[].Price.cents is not exported"},
	"empty slice":                 {[]money{}, []money{{500}}, "[].cents is not exported"},
	"array":                       {[1]money{{5}}, [1]money{{500}}, "[].cents is not exported"},
	"map":                         {map[string]money{"a": {5}}, map[string]money{"a": {500}}, "[].cents is not exported"},
	"interface":                   {pay{"x", money{5}}, pay{"x", money{500}}, "Price(txn_test.money).cents is not exported"},
	"pointer in interface":        {pay{"x", &money{5}}, pay{"x", &money{500}}, "Price(*txn_test.money).cents is not exported"},
	"slice of interfaces":         {[]any{1, money{5}}, []any{1, money{500}}, "[1](txn_test.money).cents is not exported"},
	"map in interface":            {pay{"x", map[string]any{"m": money{5}}}, pay{"x", map[string]any{"m": money{500}}}, "Price(map[string]interface {})[](txn_test.money).cents"},
	"error":                       {errors.New("a"), errors.New("b"), "s is not exported"},
	"error in a field":            {pay{"x", errors.New("a")}, pay{"x", errors.New("b")}, "Price(*errors.errorString).s"},
	"error in an error's field":   {struct{ Err error }{errors.New("a")}, struct{ Err error }{errors.New("b")}, "Err(*errors.errorString).s"},
	"embedded error":              {withError{errors.New("a"), 1}, withError{errors.New("b"), 1}, "error is not exported"},
	"left out by a tag":           {tagged{1, 2}, tagged{1, 3}, "B is left out by its tag"},
	"two fields of a name":        {twins(1, 2), twins(1, 3), `a name in JSON, "x", that another field has`},
	"shadowed field":              {shadows{Base{1}, 5}, shadows{Base{2}, 5}, `a name in JSON, "ID", that another field has`},
	"ambiguous field":             {ambiguous{Base{1}, Other{1}}, ambiguous{Base{2}, Other{2}}, `a name in JSON, "ID"`},
	"promoted method":             {stamped{time.Unix(1, 0), 5}, stamped{time.Unix(1, 0), 500}, "Amount is beside an embedded time.Time"},
	"promoted method in a field":  {[]stamped{{time.Unix(1, 0), 5}}, []stamped{{time.Unix(1, 0), 500}}, "[].Amount is beside an embedded time.Time"},
	"method of the pointer":       {byMethod{5}, byMethod{500}, "cents is not exported"},
	"method of the pointer, map":  {map[string]byMethod{"a": {5}}, map[string]byMethod{"a": {500}}, "[].cents is not exported"},
	"big.Int by value":            {*big.NewInt(1), *big.NewInt(2), "is not exported"},
	"url.URL":                     {url.URL{User: url.User("a")}, url.URL{User: url.User("b")}, "User.username is not exported"},
	"generic":                     {struct{ V boxed[int] }{boxed[int]{v: 1}}, struct{ V boxed[int] }{boxed[int]{v: 2}}, "V.v is not exported"},
	"recursive":                   {recursiveHidden(1), recursiveHidden(2), "b is not exported"},
	"invalid UTF-8":               {"\xff", "\xfe", "it has text that is not valid UTF-8"},
	"invalid UTF-8 in a field":    {pay{"\xff", 1}, pay{"\xfe", 1}, "To(string) has text that is not valid UTF-8"},
	"invalid UTF-8 in a key":      {map[string]int{"\xff": 1}, map[string]int{"\xfe": 1}, "[] has text that is not valid UTF-8"},
	"invalid UTF-8 in a pointer":  {[]*string{ptr("\xff")}, []*string{ptr("\xfe")}, "[0] has text that is not"},
	"invalid UTF-8 as text":       {coin("\xff"), coin("\xfe"), "has text that is not"},
	"invalid UTF-8, text as key":  {map[coin]int{"\xff": 1}, map[coin]int{"\xfe": 1}, "[] has text that is not"},
	"invalid UTF-8 in raw JSON":   {json.RawMessage("\"\xff\""), json.RawMessage("\"\xfe\""), "not valid UTF-8"},
	"surrogate in raw JSON":       {json.RawMessage(`"\ud800"`), json.RawMessage(`"\uDbFF"`), "half of a surrogate pair"},
	"second surrogate":            {json.RawMessage(`["\\\udc00"]`), json.RawMessage(`["\\\uDFFF"]`), "half of a surrogate pair"},
	"surrogates in a wrong order": {json.RawMessage(`"\udc00\ud800"`), json.RawMessage(`"\udc01\ud800"`), "half of a surrogate pair"},
	"surrogate and a character":   {json.RawMessage(`"\ud800\u0041"`), json.RawMessage(`"\ud801\u0041"`), "half of a surrogate pair"},
	"member twice":                {json.RawMessage(`{"a":1,"a":2}`), json.RawMessage(`{"a":3,"a":2}`), "two of whose members have the same name"},
	"member twice, escaped":       {json.RawMessage(`[{"a":1,"\u0061":2}]`), json.RawMessage(`[{"a":3,"\u0061":2}]`), "two of whose members"},
	"member twice, nested":        {pay{"x", json.RawMessage(`{"x":[{"a":1,"a":2}]}`)}, pay{"x", json.RawMessage(`{"x":[{"a":3,"a":2}]}`)}, "two of whose members"},
	"keys of one text":            {map[netip.Addr]int{{}: 1, netip.MustParseAddr("::1"): 2}, map[netip.Addr]int{{}: 2, netip.MustParseAddr("::1"): 2}, ""},
	"NaN":                         {math.NaN(), math.Inf(1), "cannot be encoded"},
	"channel":                     {make(chan int), make(chan int), "cannot be encoded"},
	"key of a struct":             {map[money]int{{5}: 1}, map[money]int{{500}: 1}, "cannot be encoded"},

	"big numbers":        {uint64(1<<63 + 1), uint64(1<<63 + 2), ""},
	"big numbers, raw":   {json.RawMessage("10000000000000000000001"), json.RawMessage("10000000000000000000002"), ""},
	"small numbers, raw": {json.RawMessage("0.10000000000000000000001"), json.RawMessage("0.10000000000000000000002"), ""},
	"floats":             {0.1, math.Nextafter(0.1, 1), ""},
	"case of members":    {renamed{1, 2}, renamed{2, 1}, ""},
	"omitted or not":     {renamed{1, 0}, renamed{1, 1}, ""},
	"string or number":   {pay{"1", "1"}, pay{"1", 1}, ""},
	"true or text":       {pay{true, 1}, pay{"true", 1}, ""},
	"nil or zero":        {pay{nil, 1}, pay{0, 1}, ""},
	"nil or empty":       {[]int(nil), []int{}, ""},
	"nil or empty map":   {map[string]int(nil), map[string]int{}, ""},
	"escapes":            {"<", `\u003c`, ""},
	"escapes, raw":       {json.RawMessage(`"\\u003c"`), json.RawMessage(`"\u003c"`), ""},
	"surrogate pair":     {json.RawMessage(`"\ud83d\ude00"`), json.RawMessage(`"\ud83d\ude01"`), ""},
	"colon in a text":    {json.RawMessage(`{"a:":":\":","b":1}`), json.RawMessage(`{"a:":":\":","b":2}`), ""},
	"bytes":              {[]byte("\xff"), []byte("\xfe"), ""},
	"bytes of bytes":     {[][]byte{[]byte("\xff"), {}}, [][]byte{{}, []byte("\xff")}, ""},
	"line separator":     {"\u2028", "\u2029", ""},
	"sign for no text":   {"\ufffd", "\ufffd\ufffd", ""},
	"NUL":                {"a\x00", "a", ""},
	"time":               {time.Unix(1, 1), time.Unix(1, 2), ""},
	"method":             {euro{5}, euro{500}, ""},
	"method, pointer":    {&byMethod{5}, &byMethod{500}, ""},
	"method, slice":      {[]byMethod{{5}}, []byMethod{{500}}, ""},
	"recursive, visible": {recursive{1, &recursive{2, nil}}, recursive{1, &recursive{3, nil}}, ""},
	"blank fields":       {empty{N: 1}, empty{N: 2}, ""},
	"embedded":           {struct{ Base }{Base{1}}, struct{ Base }{Base{2}}, ""},
	"embedded pointer":   {struct{ *Base }{&Base{1}}, struct{ *Base }{nil}, ""},
	"embedded time":      {struct{ time.Time }{time.Unix(1, 0)}, struct{ time.Time }{time.Unix(2, 0)}, ""},
	"pgtype":             {pgtype.Text{String: "a", Valid: true}, pgtype.Text{Valid: true}, ""},
	"numeric":            {pgtype.Numeric{Int: big.NewInt(150), Exp: -2, Valid: true}, pgtype.Numeric{Int: big.NewInt(151), Exp: -2, Valid: true}, ""},
}

type boxed[T any] struct{ v T }

// twins returns a struct with two fields of one JSON name, which go vet would reject in
// source code.
func twins(a, b int) any {
	v := reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
		{Name: "B", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
	})).Elem()
	v.Field(0).SetInt(int64(a))
	v.Field(1).SetInt(int64(b))
	return v.Interface()
}

// recursiveHidden returns a list whose last element hides something.
func recursiveHidden(n int) any {
	type node struct {
		Next *node
		Last any
	}
	return node{Next: &node{Next: &node{Last: hidden{1, n}}}}
}

// No request is given the result of another one: it is distinguished, or refused before
// anything is sent.
func TestOnceTellsRequestsApart(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		want := 0
		for name, test := range differentRequests {
			run := func(request any) (string, error) {
				return txn.RunInTx(t.Context(), db, func(context.Context, *txn.Tx) (string, error) {
					if test.refused != "" {
						t.Errorf("%s: it ran", name)
					}
					return fmt.Sprintf("result of %p", &request), nil
				}, once.Key("test", name, request))
			}
			first, err := run(test.a)
			if test.refused != "" {
				require.ErrorContains(t, err, test.refused, name)
				require.Equal(t, strings.Contains(name, "UTF-8") || strings.Contains(name, "surrogate") || strings.Contains(name, "member"), malformed(err), "%s: whose fault it is", name)
				_, err = run(test.b)
				require.Error(t, err, name)
				continue
			}
			want++
			require.NoError(t, err, name)
			again, err := run(test.a)
			require.NoError(t, err, name)
			require.Equal(t, first, again, name)
			_, err = run(test.b)
			require.ErrorIs(t, err, once.ErrKeyReused, name)
		}
		require.Equal(t, want, keysIn(t, db))
	})
}

// malformed reports whether an error blames the client.
func malformed(err error) bool {
	var k interface{ Kind() kind.Kind }
	return errors.As(err, &k) && k.Kind() == kind.Malformed
}

// Requests are equal if their JSON is equal.
func TestOnceTakesForTheSame(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		type omitting struct {
			A []int  `json:",omitempty"`
			B string `json:",omitempty"`
		}
		for name, same := range map[string][2]any{
			"Go types":             {pay{"x", 1}, map[string]any{"Price": 1.0, "To": "x"}},
			"raw JSON":             {json.RawMessage(` { "To" : "x", "Price" : 1 } `), pay{"x", 1}},
			"escapes":              {json.RawMessage(`"\u003c\/\u00fc"`), "</ü"},
			"nil in a pointer":     {(**int)(nil), new(*int)},
			"omitted":              {omitting{[]int{}, ""}, omitting{}},
			"place of a time":      {time.Unix(1, 0).UTC(), time.Unix(1, 0).In(time.FixedZone("elsewhere", 0))},
			"left out by a method": {lossy{1, 2}, lossy{1, 3}},
		} {
			run := func(request any) error {
				return txn.Run(t.Context(), db, func(context.Context, *txn.Tx) error { return nil }, once.Key("test", name, request))
			}
			require.NoError(t, run(same[0]), name)
			require.NoError(t, run(same[1]), name)
		}
	})
}

func runResult[T any](t *testing.T, db *dbtest.DB, key string, result T) (T, error) {
	return txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (T, error) {
		tx.Queue("insert into accounts values ((select count(*) from accounts) + 1, 1)")
		return result, nil
	}, once.Key("test", key, nil), txn.Name("r"))
}

// requireReplay checks that a result comes back unchanged.
func requireReplay[T any](t *testing.T, db *dbtest.DB, result T) {
	t.Helper()
	key := strings.ToValidUTF8(fmt.Sprintf("%T %q", result, fmt.Sprint(result)), "")
	for range 2 {
		got, err := runResult(t, db, key, result)
		require.NoError(t, err, key)
		require.Equal(t, result, got, key)
	}
}

// requireNoReplay checks that a result which would come back changed is refused at
// once, with nothing committed.
func requireNoReplay[T any](t *testing.T, db *dbtest.DB, result T, want string) {
	t.Helper()
	keys, rows := keysIn(t, db), rowsIn(t, db)
	got, err := runResult(t, db, "refused", result)
	require.ErrorContains(t, err, want)
	require.ErrorContains(t, err, "txn r: Once: ")
	require.False(t, malformed(err), "no client's fault")
	require.Equal(t, rolledBack, claimOf(err))
	require.Zero(t, got)
	require.Equal(t, keys, keysIn(t, db))
	require.Equal(t, rows, rowsIn(t, db))
}

func TestOnceResultsComeBackAsTheyWere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		accounts(t, db)
		requireReplay(t, db, 1<<62+1)
		requireReplay(t, db, math.Copysign(0, -1))
		requireReplay(t, db, "ü\x00\u2028<>\ufffd")
		requireReplay(t, db, []byte("\xff\x00"))
		requireReplay(t, db, [][]byte{{1}, nil})
		requireReplay(t, db, map[int]*string{1: ptr("x"), 2: nil})
		requireReplay(t, db, []time.Time{time.Unix(1, 1).UTC()})
		requireReplay(t, db, euro{5})
		requireReplay(t, db, map[coin]coin{"a": "b"})
		requireReplay(t, db, &recursive{1, &recursive{2, nil}})
		requireReplay(t, db, (*recursive)(nil))
		requireReplay[any](t, db, nil)
		requireReplay[any](t, db, map[string]any{"a": []any{1.5, "x", true, nil}})
		requireReplay(t, db, renamed{1, 2})
		requireReplay(t, db, struct{ *Base }{&Base{1}})
		requireReplay(t, db, json.RawMessage(`{"a":1,"a":"\ud800"}`))
		requireReplay(t, db, pgtype.Numeric{Int: big.NewInt(150), Exp: -2, Valid: true})
		requireReplay(t, db, *new(big.Int).Lsh(big.NewInt(1), 200))
		requireReplay(t, db, struct{ P *netip.Prefix }{ptr(netip.MustParsePrefix("10.0.0.0/8"))})
		requireReplay(t, db, empty{N: 1})
	})
}

func TestOnceResultsThatWouldComeBackChanged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		accounts(t, db)
		// Refused by type, at the first call, before anything is sent.
		requireNoReplay(t, db, hidden{}, "a result of type txn_test.hidden would not come back from JSON as it was: b is not exported")
		requireNoReplay(t, db, []*money{}, "[].cents is not exported")
		requireNoReplay(t, db, tagged{}, "B is left out by its tag")
		requireNoReplay(t, db, shadows{}, "that another field has")
		requireNoReplay(t, db, stamped{}, "Amount is beside an embedded time.Time")
		requireNoReplay(t, db, struct{ Err error }{}, "Err is of type error, an interface with methods")
		requireNoReplay[error](t, db, nil, "it is of type error, an interface")
		requireNoReplay[fmt.Stringer](t, db, nil, "it is of type fmt.Stringer, an interface")
		// Refused by value.
		requireNoReplay(t, db, "\xff", "it has text that is not valid UTF-8")
		requireNoReplay(t, db, map[string]int{"\xff": 1}, "[] has text that is not valid UTF-8")
		requireNoReplay(t, db, json.RawMessage("\"\xff\""), "not valid UTF-8")
		requireNoReplay[any](t, db, 5, "it has a int, which comes back as a float64")
		requireNoReplay(t, db, map[string]any{"id": int64(5)}, "[] has a int64, which comes back as a float64")
		requireNoReplay(t, db, []any{map[string]string{}}, "[0] has a map[string]string, which comes back as a map[string]interface {}")
		requireNoReplay(t, db, pay{"x", json.Number("5")}, "Price has a json.Number, which comes back as a float64")
		requireNoReplay(t, db, pay{"x", hidden{}}, "Price(txn_test.hidden).b is not exported")
		requireNoReplay(t, db, []**int{new(*int)}, "[0] comes back changed")
		requireNoReplay(t, db, lossyBack{1}, "it comes back changed")
		requireNoReplay(t, db, lossy{1, 2}, "cannot unmarshal number")
		requireNoReplay(t, db, map[*coin]int{ptr(coin("a")): 1}, "cannot unmarshal object")
		requireNoReplay(t, db, math.NaN(), "cannot be encoded")
		requireNoReplay(t, db, struct{ *base }{&base{1}}, "cannot set embedded pointer to unexported struct")
		requireNoReplay(t, db, struct {
			P *Base2 `json:",omitempty"`
			*Base2
		}{nil, &Base2{}}, "Base2 comes back changed")
		requireClean(t, db.Pool)
	})
}

type (
	base  struct{ ID int }
	Base2 struct {
		ID int `json:",omitempty"`
	}
	lossyBack struct{ N int }
)

// MarshalJSON omits a part that UnmarshalJSON does not restore.
func (l lossyBack) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `{"n":%d}`, l.N), nil }
func (l *lossyBack) UnmarshalJSON([]byte) error  { return nil }
