package jsonbody_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
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
	return jsonbody.Decode[order](httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body)))
}

func TestDecode(t *testing.T) {
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
	return jsonbody.Decode[odd](httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body)))
}

func TestDecodeIntoOddTypes(t *testing.T) {
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
		e := translate(t, err)
		require.Equal(t, want, e.Code()+" "+e.Field(), body)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		body   string
		status int
		code   string
		field  string
	}{
		{``, 400, "empty_body", ""},
		{" \t\r\n", 400, "empty_body", ""},
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
		{`{"any": ` + strings.Repeat("[", jsonbody.MaxDepth) + strings.Repeat("]", jsonbody.MaxDepth) + `}`, 400, "too_deep", "/any" + strings.Repeat("/0", jsonbody.MaxDepth-1)},
		{`{"name": "` + strings.Repeat("x", jsonbody.DefaultMaxBytes) + `"}`, 413, "too_large", ""},
	} {
		_, err := decodeOrder(t, test.body)
		e := translate(t, err)
		name := test.body[:min(len(test.body), 60)]
		require.Equal(t, test.code, e.Code(), name)
		require.Equal(t, test.status, e.Status(), name)
		require.Equal(t, test.field, e.Field(), name)
	}
}

func TestServerEndsTheConnectionOfABodyThatIsTooLarge(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(new(errs.Catalog).Handler(func(w http.ResponseWriter, r *http.Request) error {
		_, err := jsonbody.Decode[any](w, r)
		return err
	}))
	t.Cleanup(s.Close)
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL, struct{ io.Reader }{strings.NewReader(strings.Repeat(" ", jsonbody.DefaultMaxBytes+1))})
	require.NoError(t, err)
	resp, err := s.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 413, resp.StatusCode)
	require.True(t, resp.Close)
}

func decodeBody[T any](t *testing.T, body string, header ...string) (T, *httptest.ResponseRecorder, error) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	v, err := jsonbody.Decode[T](w, r)
	return v, w, err
}

func TestDecodeWantsJSON(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{"application/json", "Application/JSON; charset=UTF-8", "application/json; charset=utf8", "application/merge-patch+json", "application/json;v=1"} {
		_, _, err := decodeBody[order](t, `{}`, "Content-Type", ok)
		require.NoError(t, err, ok)
	}
	for _, wrong := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/json;;=", "", "application/jsonp"} {
		_, w, err := decodeBody[order](t, `{}`, "Content-Type", wrong)
		e := translate(t, err)
		require.Equal(t, 415, e.Status(), wrong)
		require.Equal(t, "unsupported_media_type", e.Code(), wrong)
		require.Equal(t, "application/json", w.Header().Get("Accept"), wrong)
	}
	_, _, err := decodeBody[order](t, `{}`, "Content-Type", "application/json", "Content-Type", "text/plain")
	require.Equal(t, 415, translate(t, err).Status())

	_, _, err = decodeBody[order](t, `{}`, "Content-Encoding", "identity")
	require.NoError(t, err)
	_, w, err := decodeBody[order](t, `{}`, "Content-Encoding", "gzip")
	require.Equal(t, 415, translate(t, err).Status())
	require.Equal(t, "identity", w.Header().Get("Accept-Encoding"))
}

func TestDecodeLimits(t *testing.T) {
	t.Parallel()
	decode := func(outer int64, body io.Reader, opts ...jsonbody.Option) int {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/", body)
		if outer > 0 {
			r.Body = http.MaxBytesReader(nil, r.Body, outer)
		}
		if _, err := jsonbody.Decode[string](nil, r, opts...); err != nil {
			return translate(t, err).Status()
		}
		return 200
	}
	text := func(n int) io.Reader { return strings.NewReader(`"` + strings.Repeat("x", n-2) + `"`) }
	stream := func(n int) io.Reader { return struct{ io.Reader }{text(n)} } // no Content-Length
	for _, body := range []func(int) io.Reader{text, stream} {
		require.Equal(t, 200, decode(0, body(jsonbody.DefaultMaxBytes)))
		require.Equal(t, 413, decode(0, body(jsonbody.DefaultMaxBytes+1)))
		require.Equal(t, 200, decode(0, body(jsonbody.DefaultMaxBytes+1), jsonbody.MaxBytes(jsonbody.DefaultMaxBytes+1)))
		require.Equal(t, 413, decode(0, body(11), jsonbody.MaxBytes(10)))
		require.Equal(t, 413, decode(10, body(11)), "the smaller one holds")
		require.Equal(t, 413, decode(100, body(11), jsonbody.MaxBytes(10)))
	}
	require.Equal(t, 500, decode(0, text(5), jsonbody.MaxBytes(0)))
	require.Equal(t, 500, decode(0, text(5), nil))
	require.Equal(t, 400, decode(0, failingReader{}))

	r := httptest.NewRequestWithContext(t.Context(), "POST", "/", untouched{t})
	r.ContentLength = jsonbody.DefaultMaxBytes + 1
	_, err := jsonbody.Decode[string](nil, r)
	require.Equal(t, errs.TooLarge, translate(t, err).Kind())
	r.Body, r.ContentLength = nil, 0
	_, err = jsonbody.Decode[string](nil, r)
	require.Equal(t, "empty_body", translate(t, err).Code())
}

type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body was asked for")
	return 0, io.EOF
}

type nullableID struct{ valid bool }

func (n *nullableID) UnmarshalJSON(b []byte) error { n.valid = string(b) != "null"; return nil }
func (n nullableID) Value() (driver.Value, error) {
	if !n.valid {
		return nil, nil
	}
	return "id", nil
}

type uuid [16]byte

func (u uuid) Value() (driver.Value, error) { return u[:], nil }

func (u *uuid) UnmarshalText(b []byte) error {
	if len(b) != 36 {
		return fmt.Errorf("no uuid: %s", b)
	}
	copy(u[:], b)
	return nil
}

type (
	Left    struct{ Both, OnlyLeft int }
	Right   struct{ Both, OnlyRight int }
	Renamed struct {
		Name string `json:"inner_name"`
	}
	SelfMade struct {
		*SelfMade
		Own int
	}
	PointsAt *PointsAt
)

type types struct {
	Left
	Right
	Renamed
	*SelfMade
	Name    string           `json:"name"`
	ID      uuid             `json:"id"`
	Null    nullableID       `json:"null"`
	NullStr sql.NullString   `json:"null_string"`
	When    *time.Time       `json:"when"`
	Raw     json.RawMessage  `json:"raw"`
	Deep    ***int           `json:"deep"`
	Quoted  *int8            `json:"quoted,string"`
	Text    string           `json:"text,omitempty,string"`
	Small   uint8            `json:"small"`
	Float   float32          `json:"float"`
	Next    *types           `json:"next,omitzero"`
	Cycle   PointsAt         `json:"cycle"`
	Keys    map[uuid]int     `json:"keys"`
	Flags   map[string]*bool `json:"flags"`
	Bad     map[float64]int  `json:"bad"`
	Closed  error            `json:"closed"`
}

func TestDecodeTakesWhatEncodingJSONTakes(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"OnlyLeft": 1, "OnlyRight": 2, "name": "x", "inner_name": "y", "Own": 3}`,
		`{"id": "0b9e2bd2-bc0f-4f9e-8b3c-0d7a2c1f9a11", "null": null, "when": null, "raw": null, "deep": null, "quoted": null, "next": null}`,
		`{"null": "x", "when": "2026-01-02T03:04:05+01:00", "raw": {"a": [1e400]}, "deep": 5, "quoted": "-7", "text": "\"x\"", "cycle": null}`,
		`{"small": 255, "float": 1.5, "next": {"next": {"name": "z"}}, "keys": {"0b9e2bd2-bc0f-4f9e-8b3c-0d7a2c1f9a11": 1}, "flags": {"a": true, "b": null}}`,
		`{"name": "\ud83d\ude00 \u00e4 \\u0000 \\ud800"}`,
	} {
		agrees[types](t, []byte(body))
		_, _, err := decodeBody[types](t, body)
		require.NoError(t, err, body)
	}
	_, _, err := decodeBody[any](t, strings.Repeat("[", jsonbody.MaxDepth)+"1"+strings.Repeat("]", jsonbody.MaxDepth))
	require.NoError(t, err)
}

func TestDecodeRefusesByType(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 600)
	for body, want := range map[string]string{
		`{"Both": 1}`:                      "422 unknown_field /Both",
		`{"id": "canary"}`:                 "422 wrong_type /id",
		`{"id": null}`:                     "422 wrong_type /id",
		`{"null_string": null}`:            "422 wrong_type /null_string",
		`{"id": [1]}`:                      "422 wrong_type /id",
		`{"when": "canary"}`:               "422 wrong_type /when",
		`{"deep": "canary"}`:               "422 wrong_type /deep",
		`{"quoted": 5}`:                    "422 wrong_type /quoted",
		`{"quoted": "null"}`:               "422 wrong_type /quoted",
		`{"quoted": " 5"}`:                 "422 wrong_type /quoted",
		`{"quoted": "128"}`:                "422 wrong_type /quoted",
		`{"quoted": "[5]"}`:                "422 wrong_type /quoted",
		`{"text": "x"}`:                    "422 wrong_type /text",
		`{"text": "\"\\u0000\""}`:          "400 invalid_characters /text",
		`{"small": 256}`:                   "422 wrong_type /small",
		`{"small": -1}`:                    "422 wrong_type /small",
		`{"float": 1e39}`:                  "422 wrong_type /float",
		`{"next": {"next": {"x": 1}}}`:     "422 unknown_field /next/next/x",
		`{"next": {"next": []}}`:           "422 wrong_type /next/next",
		`{"cycle": {}}`:                    "422 wrong_type /cycle",
		`{"keys": {"canary": 1}}`:          "422 wrong_type /keys/canary",
		`{"flags": {"a": null, "b": 1}}`:   "422 wrong_type /flags/b",
		`{"bad": {"1": 1}}`:                "422 wrong_type /bad/1",
		`{"closed": "canary"}`:             "422 wrong_type /closed",
		`{"closed": {}}`:                   "422 wrong_type /closed",
		`{"raw": {"a": {"k": 1, "k": 1}}}`: "400 duplicate_field /raw/a/k",
		`{"raw": ["\u0000"]}`:              "400 invalid_characters /raw/0",
		`{"raw": {"\ud800": 1}}`:           "400 invalid_characters /raw",
		`{"name": "\ud800"}`:               "400 invalid_characters /name",
		`{"name": "\ud800x"}`:              "400 invalid_characters /name",
		`{"name": "\ud800\u0041"}`:         "400 invalid_characters /name",
		`{"name": "\udc00\ud800"}`:         "400 invalid_characters /name",
		`{"name": "a\u0000"}`:              "400 invalid_characters /name",
		`{"raw": ` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`: "400 too_deep /raw" + strings.Repeat("/0", 31),
		strings.Repeat("[", 11000) + strings.Repeat("]", 11000):              "400 too_deep ",
		`{"raw": {"` + long + `": {"x": 1, "x": 1}}}`:                        "400 duplicate_field /raw",
	} {
		if strings.HasPrefix(body, `{"bad"`) && json.Unmarshal([]byte(body), new(types)) == nil {
			continue // the experiment jsonv2 knows numbers as keys
		}
		_, _, err := decodeBody[types](t, body)
		e := translate(t, err)
		name := body[:min(len(body), 60)]
		require.Equal(t, want, fmt.Sprint(e.Status(), " ", e.Code(), " ", e.Field()), name)
		require.NotContains(t, strings.ReplaceAll(logged(err), "/keys/canary", ""), "canary", name)
	}
}

// The path of each place spelled out would be gigabytes here.
func TestDecodeIsNotSlowedDownByLongNames(t *testing.T) {
	body := `{"raw": {"` + strings.Repeat("n", 30000) + `": [` + strings.Repeat("1,", 16000) + `1]}}`
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := decodeBody[types](t, body)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(20<<20))
}
