package errs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/schema"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/idempotency"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// seam is the response for an error of another package.
type seam struct {
	err    error
	status int
	code   string
	place  string // the first field at fault
	text   string
}

type versioned struct {
	ID      int64 `db:"id" owner:"pk"`
	User    int64 `db:"user_id" owner:"owner"`
	Version int64 `db:"version" owner:"version"`
}

var versions = owner.MustTable[versioned, int64]("versioned")

func ifMatch(header string) error {
	_, _, err := versions.ParseIfMatch(header)
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

// onceKey returns the error of a call with that key, which fails before it uses the
// pool.
func onceKey(namespace, key string) error {
	return txn.Run(context.Background(), new(pgxpool.Pool), func(context.Context, *txn.Tx) error { return nil }, once.Key(namespace, key, nil))
}

// seams returns the response for each error of the other packages, by the name of the
// error, and for errors of applications.
func seams() map[string]seam {
	const internal = "Internal error."
	return map[string]seam{
		"owner.ErrNotFound":   {owner.ErrNotFound, 404, "not_found", "", "Not found."},
		"owner.ErrUnscoped":   {owner.ErrUnscoped, 500, "internal", "", internal},
		"owner.ErrOtherOwner": {owner.ErrOtherOwner, 403, "forbidden", "", "You do not have access."},
		"owner.ErrTooMany":    {owner.ErrTooMany, 500, "internal", "", internal},
		"schema.ErrNoRLS":     {schema.ErrNoRLS, 500, "internal", "", internal},
		"owner.ErrStale":      {owner.ErrStale, 412, "stale", "", "This item has changed in the meantime."},
		"owner.ErrReference":  {owner.ErrReference, 422, "reference_not_found", "", "A referenced item does not exist."},
		"owner.ErrCursor":     {owner.ErrCursor, 422, "invalid_cursor", "?cursor", "The cursor is not valid here."},
		"owner.ErrNoVersion": {owner.ErrNoVersion, 428, "precondition_required", "If-Match:",
			"Please say in the If-Match header which version you mean."},
		"If-Match is missing":              {ifMatch(""), 428, "precondition_required", "If-Match:", "Please say in the If-Match header which version you mean."},
		"If-Match is no tag":               {ifMatch("1"), 400, "invalid_if_match", "If-Match:", "The If-Match header must be one entity tag or *."},
		"If-Match is stale":                {ifMatch(`W/"1"`), 412, "stale", "", "This item has changed in the meantime."},
		"owner.PatchError: empty":          {&owner.PatchError{Reason: "nothing_to_change"}, 422, "nothing_to_change", "", "The request changes nothing."},
		"owner.PatchError: unknown":        {&owner.PatchError{Field: "/x~1y", Reason: "unknown_field"}, 422, "unknown_field", "/x~1y", "This field is not known."},
		"owner.PatchError: read-only":      {&owner.PatchError{Field: "/id", Reason: "read_only_field"}, 422, "read_only_field", "/id", "This field cannot be changed."},
		"owner.PatchError: type":           {&owner.PatchError{Field: "/n", Reason: "wrong_type"}, 422, "wrong_type", "/n", "This value is of the wrong type."},
		"owner.PatchError: made elsewhere": {&owner.PatchError{Field: "n", Reason: "Not A Code"}, 422, "invalid", "", "A value is not allowed."},

		"once.ErrKeyReused":        {once.ErrKeyReused, 422, "key_reused", "", "This key was used for a different request."},
		"once.KeyError: empty":     {onceKey("n", ""), 400, "missing_idempotency_key", "", "The idempotency key is empty."},
		"once.KeyError: too long":  {onceKey("n", strings.Repeat("x", 256)), 400, "invalid_idempotency_key", "", "The idempotency key is longer than 255 bytes."},
		"once.KeyError: bytes":     {onceKey("n", "\xff"), 400, "invalid_idempotency_key", "", "The idempotency key is not valid UTF-8."},
		"once.KeyError: NUL":       {onceKey("n", "a\x00"), 400, "invalid_idempotency_key", "", "The idempotency key contains a NUL character."},
		"once.Key: the namespace":  {onceKey("", "k"), 500, "internal", "", internal},
		"once.ErrInFlight":         {once.ErrInFlight, 409, "in_flight", "", "The same request is still being processed."},
		"txn.OutcomeUnknownError":  {&txn.OutcomeUnknownError{}, 500, "outcome_unknown", "", "We could not confirm whether this was saved."},
		"txn.CommittedError":       {&txn.CommittedError{Err: errs.NotFound}, 500, "internal", "", internal},
		"txn.ExhaustedError":       {&txn.ExhaustedError{}, 503, "unavailable", "", "The service is temporarily unavailable."},
		"txn.BusyError":            {&txn.BusyError{Wait: 3 * time.Second}, 503, "contention", "", "The service is busy. Please try again."},
		"txn.UnexpectedRowsError":  {&txn.UnexpectedRowsError{}, 409, "conflict", "", "The request conflicts with existing data."},
		"txn.QueuedError":          {&txn.QueuedError{Err: owner.ErrCursor}, 422, "invalid_cursor", "?cursor", "The cursor is not valid here."},
		"once.ResultTooLargeError": {&once.ResultTooLargeError{}, 500, "internal", "", internal},

		"idempotency.KeyError: twice": {idempotencyKey("a", "a"), 400, "invalid_idempotency_key", "Idempotency-Key:", "The header Idempotency-Key is there more than once."},
		"idempotency.KeyError: empty": {idempotencyKey(""), 400, "invalid_idempotency_key", "Idempotency-Key:", "The header Idempotency-Key is empty."},
		"idempotency.KeyError: two words": {idempotencyKey("a b"), 400, "invalid_idempotency_key", "Idempotency-Key:",
			"The header Idempotency-Key is neither a string in double quotes nor one word."},

		"jsonbody.Error: empty":    {decoded(""), 400, "empty_body", "", "The request has no body."},
		"jsonbody.Error: unknown":  {decoded(`{"Nmae": 1}`), 422, "unknown_field", "/Nmae", "This field is not known."},
		"jsonbody.Error: trailing": {decoded(`{} {}`), 400, "trailing_data", "", "There is something behind the JSON value, which ends at byte 2."},
		"jsonbody.Error: type": {decoded(`{"Items": [{"Count": "x"}]}`), 422, "wrong_type", "/Items/0/Count",
			"This value must be a whole number from -9223372036854775808 to 9223372036854775807."},
		"jsonbody.Error: several": {decoded(`{"Name": 1, "Items": [{"Cuont": 1}]}`), 422, "invalid", "/Name", "A value is not allowed."},

		"own fields": {errFielded{{Pointer: "/a", Code: "x", Detail: "X."}, {Parameter: "b", Code: "y", Detail: "Y."}}, 409, "conflict", "/a", "The request conflicts with existing data."},
		"own whole":  {errFielded{{Code: "gone_fishing", Detail: "Gone fishing."}}, 409, "gone_fishing", "", "Gone fishing."},
		"own both":   {errFielded{{Code: "z", Detail: "Z."}, {Header: "H", Code: "x"}, {Header: "I", Code: "y", Detail: "Y."}}, 409, "z", "H:", "Z."},
		"own none":   {errFielded(nil), 409, "conflict", "", "The request conflicts with existing data."},
	}
}

// Fields, codes and texts of all packages reach the client.
func TestErrorsOfAllPackages(t *testing.T) {
	t.Parallel()
	for name, want := range seams() {
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

// A new error of another package needs a line in seams.
func TestEveryErrorHasASeam(t *testing.T) {
	t.Parallel()
	var known []string
	for name := range seams() {
		name, _, _ = strings.Cut(name, ":")
		known = append(known, name)
	}
	found := 0
	for _, dir := range []string{"../owner", "../owner/schema", "../owner/rawsql", "../owner/across", "../txn", "../txn/once", "../txn/idempotency", "../txn/txntest", "jsonbody"} {
		files, err := filepath.Glob(dir + "/*.go")
		require.NoError(t, err)
		require.NotEmpty(t, files, dir)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, name := range errorNames(source) {
				found++
				require.Contains(t, known, source.Name.Name+"."+name)
			}
		}
	}
	require.Greater(t, found, 15)
}

// errorNames returns the exported variables and types of a file that are errors by
// their names.
func errorNames(file *ast.File) (names []string) {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range g.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				for _, id := range s.Names {
					if g.Tok == token.VAR && strings.HasPrefix(id.Name, "Err") {
						names = append(names, id.Name)
					}
				}
			case *ast.TypeSpec:
				if s.Name.IsExported() && strings.HasSuffix(s.Name.Name, "Error") {
					names = append(names, s.Name.Name)
				}
			}
		}
	}
	return names
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
