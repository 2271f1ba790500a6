package jsonbody_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
)

// The log says what was wrong and where, and the client gets problem details.
func TestErrors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 600)
	for _, test := range []struct {
		body, text, problem string
		opts                []jsonbody.Option
	}{{
		body:    ``,
		text:    `jsonbody: malformed, empty_body`,
		problem: `{"title": "Bad Request", "status": 400, "code": "empty_body", "detail": "The request has no body."}`,
	}, {
		body: `{"when": "yesterday"}`,
		text: `jsonbody: invalid, wrong_type at "/when": value does not decode into time.Time`,
		problem: `{"title": "Unprocessable Entity", "status": 422, "code": "wrong_type", "detail": "This value must be a time such as 2006-01-02T15:04:05Z.",
			"errors": [{"pointer": "/when", "code": "wrong_type", "detail": "This value must be a time such as 2006-01-02T15:04:05Z."}]}`,
	}, {
		body: `{"a\nb": 1, "c": 2}`,
		text: `jsonbody: invalid, unknown_field, unknown_field at "/a\nb", unknown_field at "/c"`,
		problem: `{"title": "Unprocessable Entity", "status": 422, "code": "unknown_field", "detail": "A value is not allowed.",
			"errors": [{"pointer": "/a\nb", "code": "unknown_field", "detail": "This field is not known."}, {"pointer": "/c", "code": "unknown_field", "detail": "This field is not known."}]}`,
	}, {
		body: `{"` + long + `": 1, "c": 2}`, // too long to be repeated
		text: `jsonbody: invalid, unknown_field, unknown_field at "/c"`,
		problem: `{"title": "Unprocessable Entity", "status": 422, "code": "unknown_field", "detail": "A value is not allowed.",
			"errors": [{"pointer": "/c", "code": "unknown_field", "detail": "This field is not known."}]}`,
	}, {
		body: `{"name": 1, "amount": "", "tags": 1, "address": 1, "x": 1}`,
		text: `jsonbody: invalid, wrong_type at "/name", wrong_type at "/amount", wrong_type at "/tags", and 2 more: value does not decode into int64`,
	}, {
		body:    `{}`,
		opts:    []jsonbody.Option{jsonbody.MaxBytes(-1)},
		text:    `jsonbody: internal: MaxBytes(-1): the limit is not positive`,
		problem: `{"title": "Internal Server Error", "status": 500, "code": "internal", "detail": "Internal error."}`,
	}, {
		body: `{}`, opts: []jsonbody.Option{nil}, text: `jsonbody: internal: an option is nil`,
	}} {
		_, err := jsonbody.Decode[order](nil, httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(test.body)), test.opts...)
		require.EqualError(t, err, test.text)
		if test.problem == "" {
			continue
		}
		problem, err := json.Marshal(translate(t, err))
		require.NoError(t, err)
		require.JSONEq(t, `{"type": "about:blank", `+test.problem[1:], string(problem))
	}
}
