package jsonbody_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
)

func faultsOf[T any](t *testing.T, body string) (*errs.Error, []string) {
	t.Helper()
	_, _, err := decodeBody[T](t, body)
	e := translate(t, err)
	var out []string
	for _, f := range e.Fields() {
		out = append(out, f.Pointer+" "+f.Code+" "+f.Detail)
	}
	return e, out
}

// A body with five wrong fields names five, each with what was expected.
func TestDecodeNamesAllFaults(t *testing.T) {
	t.Parallel()
	e, fields := faultsOf[order](t, `{"name": 5, "amount": "5", "Tags": [{"x": 1}], "address": {"city": "Ulm", "city": null}, "when": "yesterday", "Untag": false}`)
	require.Equal(t, []string{
		"/name wrong_type This value must be a text.",
		"/amount wrong_type This value must be a whole number from -9223372036854775808 to 9223372036854775807.",
		"/Tags unknown_field This field is not known.",
		"/address/city duplicate_field This field is there twice.",
		"/when wrong_type This value must be a time such as 2006-01-02T15:04:05Z.",
	}, fields)
	require.Equal(t, 400, e.Status(), "a field that is there twice makes it mean two things")
	require.Equal(t, "malformed", e.Code())
	require.Equal(t, "/name", e.Field())

	e, fields = faultsOf[order](t, `{"a": 1, "b": [{"c": 2}], "name": "x"}`)
	require.Len(t, fields, 2)
	require.Equal(t, "422 unknown_field", fmt.Sprint(e.Status(), " ", e.Code()))

	e, fields = faultsOf[types](t, `{"small": 256, "quoted": 5, "float": {"deep": {}}, "flags": {"a": 1}, "next": {"small": -1, "x": []}, "keys": {"k": 1}, "null_string": {"Strin": ""}, "deep": "5"}`)
	require.Equal(t, []string{
		"/small wrong_type This value must be a whole number from 0 to 255.",
		"/quoted wrong_type This value must be a text with JSON in it, which is a whole number from -128 to 127 or null.",
		"/float wrong_type This value must be a number in range.",
		"/flags/a wrong_type This value must be true or false or null.",
		"/next/small wrong_type This value must be a whole number from 0 to 255.",
		"/next/x unknown_field This field is not known.",
		"/keys/k wrong_type This name is of the wrong type.",
		"/null_string/Strin unknown_field This field is not known.",
		"/deep wrong_type This value must be a whole number from -9223372036854775808 to 9223372036854775807 or null.",
	}, fields)
	require.Equal(t, "422 invalid", fmt.Sprint(e.Status(), " ", e.Code()))

	_, fields = faultsOf[odd](t, `{"pair": [1, "2", 3], "ages": [], "hosts": {"x": "", "127.0.0.1": 1}, "b": true}`)
	require.Equal(t, []string{
		"/pair/1 wrong_type This value must be a whole number from -9223372036854775808 to 9223372036854775807.",
		"/pair wrong_type This value must be a list of length 2.",
		"/ages wrong_type This value must be an object.",
		"/hosts/x wrong_type This name is of the wrong type.",
		"/hosts/127.0.0.1 wrong_type This value must be a text.",
		"/b wrong_type This value must be a whole number from -9223372036854775808 to 9223372036854775807.",
	}, fields)
}

func TestDecodeBoundsTheFaults(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`[` + strings.Repeat(`"x",`, 5000) + `"x"]`,
		`[` + strings.Repeat(`[[[{"k": 1, "k": 2}]]],`, 1000) + `1]`,
	} {
		_, fields := faultsOf[[]int](t, body)
		require.Len(t, fields, 100)
	}
	e, _ := faultsOf[[]any](t, `[{"k": 1, "k": 2}, `+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`, "\u0000"]`)
	require.Equal(t, 400, e.Status())
	require.Len(t, e.Fields(), 2, "nothing is looked for behind what is too deep")
}

// Malformed JSON is reported with its position. (For the experiment jsonv2 that may
// be the byte before, or the beginning of the escape.)
func TestDecodeSaysWhere(t *testing.T) {
	t.Parallel()
	for body, at := range map[string]int{
		`{"name": x}`:             10,
		`{"name": "x",}`:          14,
		`{"name": "x"`:            12,
		"{\"name\": \"x\n\"}":     12,
		`{"name": "canary\q"}`:    18,
		`{"name": 01}`:            11,
		"\ufeff" + `{"name": ""}`: 1,
	} {
		e, _ := faultsOf[order](t, body)
		require.Equal(t, "400 malformed_json", fmt.Sprint(e.Status(), " ", e.Code()), body)
		require.Contains(t, []string{
			fmt.Sprintf("The request is not valid JSON: it goes wrong at byte %d.", at),
			fmt.Sprintf("The request is not valid JSON: it goes wrong at byte %d.", at-1),
			fmt.Sprintf("The request is not valid JSON: it goes wrong at byte %d.", at-2),
		}, e.Error(), body)
	}
	e, _ := faultsOf[order](t, `{"name": "x"} {}`)
	require.Equal(t, "trailing_data", e.Code())
	require.Equal(t, "There is something behind the JSON value, which ends at byte 13.", e.Error())
}

// A type that decodes itself decides, and its error is not shown.
func TestDecodeAsksTypes(t *testing.T) {
	t.Parallel()
	_, fields := faultsOf[map[string]json.Number](t, `{"a": 1e5, "b": "canary", "c": true}`)
	require.Equal(t, []string{"/b wrong_type This value must be a number in range.", "/c wrong_type This value must be a number in range."}, fields)
}

func BenchmarkDecode(b *testing.B) {
	for name, body := range map[string]string{
		"small": `{"name": "x", "amount": 5, "tags": ["a", "b"], "address": {"city": "Ulm"}}`,
		"large": `{"name": "` + strings.Repeat("n", 200) + `", "tags": ["` + strings.Repeat(`abc", "`, 500) + `"], "labels": {"a": "b", "c": "d"}, "any": [` + strings.Repeat(`{"k": 1.5, "l": [true, null]},`, 300) + `0], "when": "2026-01-02T03:04:05Z"}`,
	} {
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var v order
				if err := json.Unmarshal([]byte(body), &v); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/Decode", func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest("POST", "/", nil)
			for b.Loop() {
				r.Body = io.NopCloser(strings.NewReader(body))
				if _, err := jsonbody.Decode[order](nil, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
