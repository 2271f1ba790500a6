package jsonbody_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
)

type fuzzed struct {
	order
	Pointer *[]*int          `json:"p"`
	Pair    [2]float32       `json:"pair"`
	Ages    map[int8]address `json:"ages"`
	Raw     json.RawMessage  `json:"raw"`
	Number  json.Number      `json:"number"`
	Quoted  *uint8           `json:"quoted,string"`
	Text    string           `json:"text,omitempty,string"`
	Each    []time.Time      `json:"each"`
	Next    *fuzzed          `json:"next"`
	Nested  [][]bool         `json:"nested"`
	Iface   []any            `json:"iface"`
}

func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"name": "x", "amount": 5, "big": "7", "tags": ["a"], "address": {"city": "Ulm"}, "maybe": null, "labels": {"k": "v"}}`,
		`{"p": [1, null], "pair": [1.5, 2], "ages": {"6": {}, "06": {}}, "raw": {"a": [1, {"a": 1, "a": 2}]}, "number": 1e400}`,
		`{"quoted": "7", "text": "\"x\"", "each": ["2026-01-02T03:04:05Z"], "next": {"next": {"note": "n"}}, "nested": [[true]], "iface": [1, "x"]}`,
		`{"quoted": null, "any": {"deep": [1, null]}, "when": "2026-01-02T03:04:05Z", "data": "aGk=", "Untag": true}`,
		`{"name": "\ud83d\ude00"}`, `{"name": "\ud800"}`, `{"name": "\udc00\ud800"}`, `{"\u0000": 1}`, `{"text": "\"\\u0000\""}`, "{\"name\": \"\xff\"}",
		`[`, `[]`, `null`, `{} {}`, ``, " \n", `{"Name": 1}`, `{"a~/b": 1}`, `{"amount": 1e9}`, `{"amount": -0}`, `{"amount": 9223372036854775808}`,
		`{"any": ` + strings.Repeat("[", 33) + strings.Repeat("]", 33) + `}`, `{"data": [1, 2]}`, `{"data": null}`, `{"text": "null"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		agrees[fuzzed](t, body)
		agrees[any](t, body)
		agrees[map[string]*order](t, body)
		agrees[[]fuzzed](t, body)
		agrees[string](t, body)
	})
}

// agrees compares the result of Decode for a body with that of encoding/json.
func agrees[T any](t *testing.T, body []byte) {
	got, err := jsonbody.Decode[T](httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/", bytes.NewReader(body)))
	if err == nil {
		var want T
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("%q is accepted, and by encoding/json not: %v", body, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q is %+v, and %+v to encoding/json", body, got, want)
		}
		return
	}
	if e := new(jsonbody.Error); !errors.As(err, &e) {
		t.Fatalf("%q is refused by %#v", body, err)
	}
	e := translate(t, err)
	if !slices.Contains([]int{400, 413, 415, 422}, e.Status()) {
		t.Fatalf("%q is refused by %#v", body, err)
	}
	for _, f := range e.Fields() {
		if !leadsSomewhere(body, strings.Split(f.Pointer, "/")[1:]) {
			t.Fatalf("%q has nothing at %q, where %s is", body, f.Pointer, f.Code)
		}
	}
}

// leadsSomewhere reports whether a JSON Pointer names something in a body, in
// which names may come twice.
func leadsSomewhere(body []byte, path []string) bool {
	if len(path) == 0 {
		return true
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	open, err := dec.Token()
	for i := 0; err == nil && dec.More(); i++ {
		name := strconv.Itoa(i)
		if open == json.Delim('{') {
			token, err := dec.Token()
			if err != nil {
				return false
			}
			name = strings.NewReplacer("~", "~0", "/", "~1").Replace(token.(string))
		}
		var inner json.RawMessage
		if err := dec.Decode(&inner); err != nil {
			return false
		}
		if name == path[0] && leadsSomewhere(inner, path[1:]) {
			return true
		}
	}
	return false
}
