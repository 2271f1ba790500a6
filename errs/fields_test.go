package errs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/idempotency"
)

// seam is what a client gets for an error of another package.
type seam struct {
	err    error
	status int
	code   string
	place  string // the first field at fault
	text   string
}

func ifMatch(header string) error {
	_, _, err := owner.ParseIfMatch(header)
	return err
}

func idempotencyKey(values ...string) error {
	_, err := idempotency.Key(http.Header{idempotency.Header: values})
	return err
}

func decoded(body string) error {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	_, err := jsonbody.Decode[struct {
		Name  string
		Items []struct{ Count int }
	}](nil, r)
	return err
}

// Fields, codes and texts of all packages reach the client.
func TestErrorsOfAllPackages(t *testing.T) {
	t.Parallel()
	const internal = "Internal error."
	for name, want := range map[string]seam{
		"owner.ErrNotFound":   {owner.ErrNotFound, 404, "not_found", "", "Not found."},
		"owner.ErrUnscoped":   {owner.ErrUnscoped, 500, "internal", "", internal},
		"owner.ErrOtherOwner": {owner.ErrOtherOwner, 403, "forbidden", "", "You do not have access."},
		"owner.ErrTooMany":    {owner.ErrTooMany, 500, "internal", "", internal},
		"owner.ErrNoRLS":      {owner.ErrNoRLS, 500, "internal", "", internal},
		"owner.ErrStale":      {owner.ErrStale, 412, "stale", "", "This item has changed in the meantime."},
		"owner.ErrReference":  {owner.ErrReference, 422, "reference_not_found", "", "A referenced item does not exist."},
		"owner.ErrCursor":     {owner.ErrCursor, 422, "invalid_cursor", "?cursor", "The cursor is not valid here."},
		"owner.ErrNoVersion": {owner.ErrNoVersion, 428, "precondition_required", "If-Match:",
			"Please say in the If-Match header which version you mean."},
		"If-Match is missing":   {ifMatch(""), 428, "precondition_required", "If-Match:", "Please say in the If-Match header which version you mean."},
		"If-Match is no tag":    {ifMatch("1"), 400, "invalid_if_match", "If-Match:", "The If-Match header must be one entity tag or *."},
		"If-Match is stale":     {ifMatch(`W/"1"`), 412, "stale", "", "This item has changed in the meantime."},
		"patch: empty":          {&owner.PatchError{Reason: owner.PatchEmpty}, 422, "nothing_to_change", "", "The request changes nothing."},
		"patch: unknown":        {&owner.PatchError{Field: "/x~1y", Reason: owner.PatchUnknown}, 422, "unknown_field", "/x~1y", "This field is not known."},
		"patch: read-only":      {&owner.PatchError{Field: "/id", Reason: owner.PatchReadOnly}, 422, "read_only_field", "/id", "This field cannot be changed."},
		"patch: type":           {&owner.PatchError{Field: "/n", Reason: owner.PatchWrongType}, 422, "wrong_type", "/n", "This value is of the wrong type."},
		"patch: made elsewhere": {&owner.PatchError{Field: "n", Reason: "Not A Code"}, 422, "invalid", "", "A value is not allowed."},

		"txn.ErrKeyReused":        {txn.ErrKeyReused, 422, "key_reused", "", "This key was used for a different request."},
		"txn.ErrInFlight":         {txn.ErrInFlight, 409, "in_flight", "", "The same request is still being processed."},
		"txn.OutcomeUnknownError": {&txn.OutcomeUnknownError{}, 500, "outcome_unknown", "", "We could not confirm whether this was saved."},
		"txn.CommittedError":      {&txn.CommittedError{Err: errs.NotFound}, 500, "internal", "", internal},
		"txn.ExhaustedError":      {&txn.ExhaustedError{}, 503, "unavailable", "", "The service is temporarily unavailable."},
		"txn.BusyError":           {&txn.BusyError{Wait: 3 * time.Second}, 503, "contention", "", "The service is busy. Please try again."},
		"txn.UnexpectedRowsError": {&txn.UnexpectedRowsError{}, 409, "conflict", "", "The request conflicts with existing data."},
		"txn.QueuedError":         {&txn.QueuedError{Err: owner.ErrCursor}, 422, "invalid_cursor", "?cursor", "The cursor is not valid here."},
		"txn.ResultTooLargeError": {&txn.ResultTooLargeError{}, 500, "internal", "", internal},

		"Idempotency-Key twice": {idempotencyKey("a", "a"), 400, "invalid_idempotency_key", "Idempotency-Key:", "The header Idempotency-Key is there more than once."},
		"Idempotency-Key empty": {idempotencyKey(""), 400, "invalid_idempotency_key", "Idempotency-Key:", "The header Idempotency-Key is empty."},
		"Idempotency-Key": {idempotencyKey("a b"), 400, "invalid_idempotency_key", "Idempotency-Key:",
			"The header Idempotency-Key is neither a string in double quotes nor one word."},

		"jsonbody: empty":    {decoded(""), 400, "empty_body", "", "The request has no body."},
		"jsonbody: unknown":  {decoded(`{"Nmae": 1}`), 422, "unknown_field", "/Nmae", "This field is not known."},
		"jsonbody: trailing": {decoded(`{} {}`), 400, "trailing_data", "", "There is something behind the JSON value, which ends at byte 2."},
		"jsonbody: type": {decoded(`{"Items": [{"Count": "x"}]}`), 422, "wrong_type", "/Items/0/Count",
			"This value must be a whole number from -9223372036854775808 to 9223372036854775807."},
		"jsonbody: several": {decoded(`{"Name": 1, "Items": [{"Cuont": 1}]}`), 422, "invalid", "/Name", "A value is not allowed."},

		"own fields": {errFielded{{Pointer: "/a", Code: "x", Detail: "X."}, {Parameter: "b", Code: "y", Detail: "Y."}}, 409, "conflict", "/a", "The request conflicts with existing data."},
		"own whole":  {errFielded{{Code: "gone_fishing", Detail: "Gone fishing."}}, 409, "gone_fishing", "", "Gone fishing."},
		"own both":   {errFielded{{Code: "z", Detail: "Z."}, {Header: "H", Code: "x"}, {Header: "I", Code: "y", Detail: "Y."}}, 409, "z", "H:", "Z."},
		"own none":   {errFielded(nil), 409, "conflict", "", "The request conflicts with existing data."},
	} {
		for _, err := range []error{want.err, fmt.Errorf("wrapped: %w", want.err), errors.Join(errors.New("x"), want.err)} {
			e := translate(t, shop, err)
			got := seam{want.err, e.Status(), e.Code(), "", e.Error()}
			if fields := e.Fields(); len(fields) > 0 {
				got.place = place(fields[0])
				require.NotEmpty(t, fields[0].Code, name)
				require.NotEmpty(t, fields[0].Detail, name)
			}
			require.Equal(t, want, got, name)
		}
	}
}

func place(f errs.FieldError) string {
	switch {
	case f.Parameter != "":
		return "?" + f.Parameter
	case f.Header != "":
		return f.Header + ":"
	}
	return f.Pointer
}

type errFielded []errs.FieldError

func (e errFielded) Error() string             { return "canary" }
func (e errFielded) Kind() errs.Kind           { return errs.Conflict }
func (e errFielded) Fields() []errs.FieldError { return e }

func TestFieldsOutsideOfTheBody(t *testing.T) {
	t.Parallel()
	e := errs.New(errs.Invalid, errs.Fields(
		errs.FieldError{Parameter: "size", Code: "out_of_range"}, errs.FieldError{Header: "If-Match", Code: "x", Detail: "X."}))
	body, err := json.Marshal(e)
	require.NoError(t, err)
	require.JSONEq(t, `{"type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "invalid", "detail": "A value is not allowed.", "errors": [
		{"parameter": "size", "code": "out_of_range", "detail": "A value is not allowed."}, {"header": "If-Match", "code": "x", "detail": "X."}]}`, string(body))
	require.Contains(t, logged(e), "error.field=size")
	for _, f := range []errs.FieldError{{Pointer: "/a", Parameter: "a", Code: "x"}, {Code: "x"}} {
		require.ErrorIs(t, errs.New(errs.Invalid, errs.Fields(f)), errs.Internal)
	}
}
