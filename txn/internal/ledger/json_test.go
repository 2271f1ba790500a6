package ledger

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// choices are bytes that determine types and values, so that a changed byte gives a
// similar one.
type choices struct{ left []byte }

func (c *choices) n(n int) int {
	if len(c.left) == 0 {
		return 0
	}
	b := c.left[0]
	c.left = c.left[1:]
	return int(b) % n
}

type (
	Visible    struct{ ID, Amount int }
	concealed  struct{ cents int }
	leftOutOne struct {
		A int
		B int `json:"-"`
	}
	shadowing struct {
		Visible
		ID int
	}
	embeds   struct{ *Visible }
	embedded struct {
		concealed
		N int
	}
	stamped struct {
		time.Time
		N int
	}
	ownJSON    struct{ cents int }
	ownText    string
	ownPointer struct{ cents int }
	manyTags   struct {
		A int               `json:"a,string"`
		B string            `json:"A,omitempty"`
		C *float64          `json:",omitempty"`
		D []byte            `json:"d d"`
		E map[string]string `json:",omitempty"`
		//lint:ignore SA5008 encoding/json takes the name of the field for it
		F any `json:"\"bad\""`
		//lint:ignore SA5008 a name that is odd on purpose
		G float32 `json:"-,"`
		H [2]uint8
		_ [3]int
	}
)

func (o ownJSON) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, int64(o.cents), 10), nil
}
func (o *ownJSON) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &o.cents) }
func (o ownText) MarshalText() ([]byte, error)     { return []byte(o), nil }
func (o *ownText) UnmarshalText(text []byte) error { *o = ownText(text); return nil }
func (o *ownPointer) MarshalJSON() ([]byte, error) { return ownJSON(*o).MarshalJSON() }
func (o *ownPointer) UnmarshalJSON(text []byte) error {
	return (*ownJSON)(o).UnmarshalJSON(text)
}

var (
	someStrings = []string{"", "a", "\xff", "\xfe", "\ufffd", "<", "\u2028", "A", "\x00", "1", "ü"}
	someRaw     = []string{"null", "1", "1.0", "-0", `{"a":1,"a":2}`, `{"a":3,"a":2}`, `{"a":2}`, `"\ud800"`, `"\ud801"`, `"\ufffd"`, "\"\xff\"", "[]", "{}", "18446744073709551617", "18446744073709551618", `"<"`}
	someAddrs   = []netip.Addr{{}, netip.MustParseAddr("::1"), netip.MustParseAddr("1.2.3.4")}
	leafTypes   = []reflect.Type{
		reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[int64](), reflect.TypeFor[uint8](), reflect.TypeFor[float64](),
		reflect.TypeFor[string](), reflect.TypeFor[[]byte](), reflect.TypeFor[any](), reflect.TypeFor[error](), reflect.TypeFor[Visible](),
		reflect.TypeFor[concealed](), reflect.TypeFor[leftOutOne](), reflect.TypeFor[shadowing](), reflect.TypeFor[embeds](), reflect.TypeFor[embedded](),
		reflect.TypeFor[stamped](), reflect.TypeFor[ownJSON](), reflect.TypeFor[ownText](), reflect.TypeFor[ownPointer](), reflect.TypeFor[manyTags](),
		reflect.TypeFor[time.Time](), reflect.TypeFor[netip.Addr](), reflect.TypeFor[json.RawMessage](), reflect.TypeFor[json.Number](), reflect.TypeFor[big.Int](), reflect.TypeFor[*big.Int](),
		reflect.TypeFor[struct{}](),
	}
	keyTypes = []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[int](), reflect.TypeFor[ownText](), reflect.TypeFor[netip.Addr]()}
	someTags = []string{"", `json:"x"`, `json:"-"`, `json:"X,omitempty"`, `json:",omitempty"`, `json:"A"`, `json:",string"`, `json:",omitzero"`, `json:"-,"`}
)

// typ generates a type.
func (c *choices) typ(depth int) reflect.Type {
	if depth == 0 {
		return leafTypes[c.n(len(leafTypes))]
	}
	switch c.n(8) {
	case 0:
		return reflect.SliceOf(c.typ(depth - 1))
	case 1:
		return reflect.ArrayOf(c.n(3), c.typ(depth-1))
	case 2:
		return reflect.MapOf(keyTypes[c.n(len(keyTypes))], c.typ(depth-1))
	case 3:
		return reflect.PointerTo(c.typ(depth - 1))
	case 4, 5:
		var fields []reflect.StructField
		for i := range c.n(4) {
			fields = append(fields, reflect.StructField{Name: string(rune('A' + i)), Type: c.typ(depth - 1), Tag: reflect.StructTag(someTags[c.n(len(someTags))])})
		}
		return reflect.StructOf(fields)
	}
	return c.typ(0)
}

// value generates a value of type t.
func (c *choices) value(t reflect.Type, depth int) reflect.Value {
	v := reflect.New(t).Elem()
	switch t {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(int64(c.n(3)), int64(c.n(2))).In([]*time.Location{time.UTC, time.FixedZone("x", 3600)}[c.n(2)])))
		return v
	case reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(someAddrs[c.n(len(someAddrs))]))
		return v
	case reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte(someRaw[c.n(len(someRaw))]))
		return v
	case reflect.TypeFor[json.Number]():
		v.SetString([]string{"0", "1", "1.0", "1e400"}[c.n(4)])
		return v
	case reflect.TypeFor[big.Int]():
		v.Addr().Interface().(*big.Int).SetInt64(int64(c.n(3)))
		return v
	case reflect.TypeFor[error]():
		if n := c.n(4); n > 0 {
			v.Set(reflect.ValueOf(errors.New(strconv.Itoa(n))))
		}
		return v
	case reflect.TypeFor[concealed](), reflect.TypeFor[ownJSON](), reflect.TypeFor[ownPointer]():
		v.Set(reflect.ValueOf(concealed{c.n(3)}).Convert(t))
		return v
	case reflect.TypeFor[embedded]():
		v.Set(reflect.ValueOf(embedded{concealed{c.n(3)}, c.n(3)}))
		return v
	}
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(c.n(2) == 1)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{0, 1, -1, 1<<62 + 1, 1 << 62}[c.n(5)])
	case reflect.Uint8:
		v.SetUint(uint64(c.n(3)))
	case reflect.Float32, reflect.Float64:
		v.SetFloat([]float64{0, 1, 0.5, 1e300}[c.n(3)])
	case reflect.String:
		v.SetString(someStrings[c.n(len(someStrings))])
	case reflect.Pointer:
		if depth > 0 && c.n(4) > 0 {
			v.Set(reflect.New(t.Elem()))
			v.Elem().Set(c.value(t.Elem(), depth-1))
		}
	case reflect.Interface:
		if depth > 0 {
			if in := c.typ(c.n(2)); in.Kind() != reflect.Interface {
				v.Set(c.value(in, depth-1))
			}
		}
	case reflect.Slice:
		if n := c.n(4); n > 0 {
			v.Set(reflect.MakeSlice(t, n-1, n-1))
		}
		for i := range v.Len() {
			v.Index(i).Set(c.value(t.Elem(), depth-1))
		}
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).Set(c.value(t.Elem(), depth-1))
		}
	case reflect.Map:
		if n := c.n(4); n > 0 {
			v.Set(reflect.MakeMap(t))
			for range n - 1 {
				v.SetMapIndex(c.value(t.Key(), 0), c.value(t.Elem(), depth-1))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if t.Field(i).IsExported() {
				v.Field(i).Set(c.value(t.Field(i).Type, depth-1))
			}
		}
	}
	return v
}

// meaning returns the meaning of a value as text, without encoding/json. Two values of
// one type differ if they are different requests. As documented, Go types in interfaces
// do not count, nor do nil or empty values in a place that omits them. In a result the
// types count.
func meaning(v reflect.Value, types bool) string {
	switch v.Kind() {
	case reflect.Invalid:
		return "nil"
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		said := meaning(v.Elem(), types)
		if types {
			return fmt.Sprintf("&%v(%s)", v.Elem().Type(), said)
		}
		return said
	}
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case time.Time:
			_, offset := x.Zone()
			return strconv.Quote(fmt.Sprint(x.UnixNano(), " ", offset))
		case netip.Addr:
			if x.IsValid() {
				return strconv.Quote(x.String())
			}
			return `""`
		case json.RawMessage:
			return meaningOfRaw(string(x))
		case json.Number:
			return string(x)
		case big.Int:
			return x.String()
		case ownPointer:
			return strconv.Itoa(x.cents)
		case ownJSON:
			return strconv.Itoa(x.cents)
		}
	}
	switch v.Kind() {
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Uint8:
		return fmt.Sprint(v)
	case reflect.Slice, reflect.Array:
		if v.Type() == reflect.TypeFor[[]byte]() {
			if v.IsNil() && !types {
				return "nil"
			}
			return strconv.Quote(base64.StdEncoding.EncodeToString(v.Bytes()))
		}
		if v.Kind() == reflect.Slice && v.IsNil() && !types {
			return "nil"
		}
		var b strings.Builder
		for i := range v.Len() {
			b.WriteString(meaning(v.Index(i), types) + ",")
		}
		return "[" + b.String() + "]"
	case reflect.Map:
		if v.IsNil() && !types {
			return "nil"
		}
		var members []string
		for entries := v.MapRange(); entries.Next(); {
			members = append(members, strconv.Quote(meaning(entries.Key(), types))+":"+meaning(entries.Value(), types))
		}
		slices.Sort(members)
		return "{" + strings.Join(members, ",") + "}"
	case reflect.Struct:
		var members []string
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Name == "_" || f.Type.Size() == 0 {
				continue
			}
			if leavesOut(f, v.Field(i)) || types && strings.Contains(string(f.Tag), "omit") && meaning(v.Field(i), types) == meaning(reflect.Zero(f.Type), types) {
				continue
			}
			said := meaning(v.Field(i), types)
			if f.Anonymous && !types && strings.HasPrefix(said, "{") { // its fields take its place
				if said = strings.TrimSuffix(said[1:], "}"); said != "" {
					members = append(members, said)
				}
				continue
			}
			if f.Anonymous && said == "nil" {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || name[0] == '"' {
				name = f.Name
			}
			members = append(members, strconv.Quote(name)+":"+said)
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	return fmt.Sprintf("? %v", v.Kind())
}

// leavesOut reports whether the tag of a field omits the value that it has.
func leavesOut(f reflect.StructField, v reflect.Value) bool {
	switch tag := string(f.Tag); {
	case strings.Contains(tag, "omitzero"):
		return v.IsZero()
	case !strings.Contains(tag, "omitempty"):
		return false
	}
	switch v.Kind() {
	case reflect.Struct:
		return false
	case reflect.Slice, reflect.Map, reflect.Array:
		return v.Len() == 0
	}
	return v.IsZero()
}

func meaningOfRaw(raw string) string {
	switch raw {
	case "null", "":
		return "nil"
	case `"<"`, `"\u003c"`:
		return strconv.Quote("<")
	case `"\ufffd"`:
		return strconv.Quote("\ufffd")
	}
	return raw
}

func randomBytes(random *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.UintN(256))
	}
	return b
}

const typeDepth = 3

// Requests of one type with different meanings have different hashes, or are refused.
func TestNoTwoRequestsHashAlike(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(13, 3))
	different, refused := 0, 0
	for range 25_000 {
		request := (&choices{randomBytes(random, 30)}).typ(typeDepth)
		how := randomBytes(random, 40)
		a := (&choices{how}).value(request, typeDepth+2)
		how = slices.Clone(how)
		how[random.IntN(12)]++
		b := (&choices{how}).value(request, typeDepth+2)
		if a.Kind() == reflect.Interface && (a.IsNil() || b.IsNil()) || meaning(a, false) == meaning(b, false) {
			continue
		}
		different++
		hashA, errA := hashRequest("n", a.Interface())
		hashB, errB := hashRequest("n", b.Interface())
		if errA != nil || errB != nil {
			refused++
			continue
		}
		require.NotEqual(t, hashA, hashB, "%v\n%#v %s\n%#v %s", request, a, meaning(a, false), b, meaning(b, false))
	}
	t.Logf("%d pairs that differ, %d of them refused", different, refused)
	require.Greater(t, different, 3_000)
	require.Greater(t, refused, 500)
	require.Greater(t, different-refused, 1_000)
}

// A result that is not refused comes back unchanged.
func TestEveryResultComesBack(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(13, 4))
	back, byType, byValue := 0, 0, 0
	for range 15_000 {
		of := (&choices{randomBytes(random, 30)}).typ(typeDepth)
		if err := new(jsonTypes).check(jsonType{of, true}); err != nil {
			byType++
			continue
		}
		result := reflect.New(of)
		result.Elem().Set((&choices{randomBytes(random, 40)}).value(of, typeDepth+2))
		encoded, err := json.Marshal(result.Interface())
		if err != nil || checkResult(result.Elem(), encoded) != nil {
			byValue++
			continue
		}
		back++
		again := reflect.New(of)
		require.NoError(t, json.Unmarshal(encoded, again.Interface()))
		require.Equal(t, meaning(result.Elem(), true), meaning(again.Elem(), true), "%v\n%s", of, encoded)
	}
	t.Logf("%d came back, %d were refused by their type, %d by what they were", back, byType, byValue)
	require.Greater(t, back, 2_000)
	require.Greater(t, byType, 500)
	require.Greater(t, byValue, 300)
}
