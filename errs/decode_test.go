package errs_test

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
)

type address struct {
	City string `json:"city"`
}

type embedded struct {
	Note string `json:"note"`
}

type order struct {
	embedded
	Name    string            `json:"name"`
	Amount  int64             `json:"amount"`
	Big     int64             `json:"big,string"`
	Tags    []string          `json:"tags"`
	Address address           `json:"address"`
	Maybe   *address          `json:"maybe"`
	Labels  map[string]string `json:"labels"`
	When    time.Time         `json:"when"`
	Data    []byte            `json:"data"`
	Any     any               `json:"any"`
	hidden  string
	Skipped string `json:"-"`
	Untag   bool
}

func decodeOrder(t *testing.T, body string) (order, error) {
	t.Helper()
	return errs.DecodeJSON[order](httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body)))
}

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	got, err := decodeOrder(t, ` {"note": "n", "name": "x", "amount": 5, "big": "9007199254740993", "tags": ["a", "b"],
		"address": {"city": "Ulm"}, "maybe": {"city": "Bonn"}, "labels": {"k": "v"}, "when": "2026-01-02T03:04:05Z",
		"data": "aGk=", "any": {"deep": [1, null]}, "Untag": true} `)
	require.NoError(t, err)
	require.Equal(t, order{embedded: embedded{"n"}, Name: "x", Amount: 5, Big: 9007199254740993, Tags: []string{"a", "b"},
		Address: address{"Ulm"}, Maybe: &address{"Bonn"}, Labels: map[string]string{"k": "v"},
		When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Data: []byte("hi"), Any: map[string]any{"deep": []any{1.0, nil}}, Untag: true}, got)

	got, err = decodeOrder(t, `{"maybe": null}`)
	require.NoError(t, err)
	require.Zero(t, got)
	require.Empty(t, got.hidden)
}

type Inner struct {
	A int `json:"a"`
}

type unexported struct {
	U int `json:"u"`
}

type Base struct {
	Admin bool `json:"admin"`
}

type Role struct {
	Root bool `json:"root"`
}

type odd struct {
	*Inner
	Base `json:"-"`
	Role `json:"role"`
	*unexported
	B     int                   `json:"b"`
	Pair  [2]int                `json:"pair"`
	Ages  map[int]Inner         `json:"ages"`
	Hosts map[netip.Addr]string `json:"hosts"`
}

func decodeOdd(t *testing.T, body string) (odd, error) {
	return errs.DecodeJSON[odd](httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body)))
}

func TestDecodeJSONIntoOddTypes(t *testing.T) {
	t.Parallel()
	got, err := decodeOdd(t, `{"a": 1, "b": 2, "pair": [4, 5], "ages": {"6": {"a": 7}}, "hosts": {"127.0.0.1": "me"}}`)
	require.NoError(t, err)
	require.Equal(t, odd{Inner: &Inner{A: 1}, B: 2, Pair: [2]int{4, 5}, Ages: map[int]Inner{6: {A: 7}},
		Hosts: map[netip.Addr]string{netip.MustParseAddr("127.0.0.1"): "me"}}, got)
	for body, want := range map[string]string{
		`{"pair": [1, 2, 3]}`:               "wrong_type /pair",
		`{"pair": [1]}`:                     "wrong_type /pair",
		`{"pair": null}`:                    "wrong_type /pair",
		`{"ages": {"six": {}}}`:             "wrong_type /ages/six",
		`{"ages": {"6": {"x": 1}}}`:         "unknown_field /ages/6/x",
		`{"ages": {"6": {"a": 1, "a": 2}}}`: "duplicate_field /ages/6/a",
		`{"hosts": {"nowhere": ""}}`:        "wrong_type /hosts/nowhere",
		`{"admin": true}`:                   "unknown_field /admin",
		`{"root": true}`:                    "unknown_field /root",
		`{"ages": {"6": {}, "06": {}}}`:     "duplicate_field /ages/06",
		`{"u": 1}`:                          "unknown_field /u",
	} {
		_, err := decodeOdd(t, body)
		e := translate(t, nil, err)
		require.Equal(t, want, e.Code()+" "+e.Field(), body)
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		body   string
		status int
		code   string
		field  string
	}{
		{``, 400, "malformed_json", ""},
		{`{`, 400, "malformed_json", ""},
		{`{"name": x}`, 400, "malformed_json", ""},
		{`{"name": "x"} {}`, 400, "trailing_data", ""},
		{`{"name": "x"} nonsense`, 400, "trailing_data", ""},
		{"{\"name\": \"\xff\"}", 400, "invalid_characters", ""},
		{`{"name": "x", "name": "y"}`, 400, "duplicate_field", "/name"},
		{`{"name": "x", "n\u0061me": "y"}`, 400, "duplicate_field", "/name"},
		{`{"address": {"city": "a", "city": "b"}}`, 400, "duplicate_field", "/address/city"},
		{`{"any": {"deep": [{"k": 1, "k": 2}]}}`, 400, "duplicate_field", "/any/deep/0/k"},
		{`{"Name": "x"}`, 422, "unknown_field", "/Name"},
		{`{"hidden": "x"}`, 422, "unknown_field", "/hidden"},
		{`{"-": "x"}`, 422, "unknown_field", "/-"},
		{`{"Skipped": "x"}`, 422, "unknown_field", "/Skipped"},
		{`{"a/b~c": 1}`, 422, "unknown_field", "/a~1b~0c"},
		{`{"maybe": {"street": "x"}}`, 422, "unknown_field", "/maybe/street"},
		{`[]`, 422, "wrong_type", ""},
		{`null`, 422, "wrong_type", ""},
		{`"x"`, 422, "wrong_type", ""},
		{`{"name": 5}`, 422, "wrong_type", "/name"},
		{`{"name": null}`, 422, "wrong_type", "/name"},
		{`{"amount": "5"}`, 422, "wrong_type", "/amount"},
		{`{"amount": 1.5}`, 422, "wrong_type", "/amount"},
		{`{"amount": 1e400}`, 422, "wrong_type", "/amount"},
		{`{"amount": 9223372036854775808}`, 422, "wrong_type", "/amount"},
		{`{"big": 5}`, 422, "wrong_type", "/big"},
		{`{"big": " null"}`, 422, "wrong_type", "/big"},
		{`{"big": "x"}`, 422, "wrong_type", "/big"},
		{`{"tags": ["a", 5]}`, 422, "wrong_type", "/tags/1"},
		{`{"tags": {}}`, 422, "wrong_type", "/tags"},
		{`{"tags": null}`, 422, "wrong_type", "/tags"},
		{`{"labels": {"k": 5}}`, 422, "wrong_type", "/labels/k"},
		{`{"when": "yesterday"}`, 422, "wrong_type", "/when"},
		{`{"data": "???"}`, 422, "wrong_type", "/data"},
		{`{"any": ` + strings.Repeat("[", errs.MaxDepth) + strings.Repeat("]", errs.MaxDepth) + `}`, 400, "too_deep", "/any" + strings.Repeat("/0", errs.MaxDepth-1)},
		{`{"name": "` + strings.Repeat("x", errs.MaxBody) + `"}`, 413, "too_large", ""},
	} {
		_, err := decodeOrder(t, test.body)
		e := translate(t, nil, err)
		name := test.body[:min(len(test.body), 60)]
		require.Equal(t, test.code, e.Code(), name)
		require.Equal(t, test.status, e.Status(), name)
		require.Equal(t, test.field, e.Field(), name)
	}
}
