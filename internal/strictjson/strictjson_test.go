package strictjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type inner struct {
	A int `json:"a"`
	B int `json:"b"`
}

type outer struct {
	inner
	Named inner `json:"named"`
	B     string
	C     *uint8 `json:"c,string"`
	loop  *outer
	Loop  *outer `json:"loop"`
}

func TestFieldsAreThoseOfEncodingJSON(t *testing.T) {
	t.Parallel()
	require.Empty(t, outer{}.loop)
	fields := Fields(reflect.TypeFor[outer]())
	at := map[string][]int{}
	for name, f := range fields {
		at[name] = f.Index
		require.Equal(t, reflect.TypeFor[outer]().FieldByIndex(f.Index).Type, f.Type)
	}
	require.Equal(t, map[string][]int{"a": {0, 0}, "b": {0, 1}, "named": {1}, "B": {2}, "c": {3}, "loop": {5}}, at)
	require.True(t, fields["c"].Quoted)
}

func TestCheckMember(t *testing.T) {
	t.Parallel()
	f := Fields(reflect.TypeFor[outer]())
	require.Empty(t, CheckMember([]byte(` "7" `), f["c"], "x", "c"))
	for value, want := range map[string]string{`7`: WrongType, `"7`: Malformed, `7 7`: TrailingData, "\"\xff\"": InvalidCharacters, `"256"`: WrongType, `"\u0000"`: InvalidCharacters} {
		faults := CheckMember([]byte(value), f["c"], "x", "c")
		require.Len(t, faults, 1, value)
		require.Equal(t, "/x/c "+want, faults[0].Pointer+" "+faults[0].Code)
	}
	var n *uint8
	require.NoError(t, Decode([]byte(`"7"`), f["c"], &n))
	require.EqualValues(t, 7, *n)
	require.NoError(t, Decode([]byte(`null`), f["c"], &n))
	require.Nil(t, n)
	require.Equal(t, "/a~1b", Pointer("a/b"))
	require.Equal(t, "/a", Pointer("a", strings.Repeat("x", pointerMax)))
}

// For any bytes, the walker ends and agrees with encoding/json.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		`{"a": 1, "named": {"a": 2}, "B": "x", "c": "7", "loop": {"loop": null}}`, `{"a": "x", "named": [1, {}], "c": 7, "loop": {"loop": {"z": 1, "z": 2}}}`,
		`{"\u0000": {"\ud800": [1}}}`, `{"loop":` + strings.Repeat(`{"loop":`, 40) + `{}` + strings.Repeat("}", 41), `[[[`, `"\`, `{"a"`, `{"c": "\"\\u0000\""}`,
		`[` + strings.Repeat(`{"a": 1, "a": 2},`, 120) + `[` + strings.Repeat(`[`, 40),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		faults := Check(body, reflect.TypeFor[outer]())
		require.LessOrEqual(t, len(faults), MaxFaults)
		for _, fault := range faults {
			require.NotEmpty(t, fault.Detail)
		}
		var v outer
		if err := json.Unmarshal(body, &v); err != nil && faults == nil {
			t.Fatalf("%q is accepted, and by encoding/json not: %v", body, err)
		}
		Check(body, reflect.TypeFor[map[inner]any]())
		Check(body, reflect.TypeFor[[]map[string]outer]())
	})
}
