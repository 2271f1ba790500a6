package errs_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/kind"
)

func TestNew(t *testing.T) {
	t.Parallel()
	err := errs.New(errs.Invalid, errs.Code("too_old"), errs.Field("/born~1on"), errs.Message("Too old."), errs.Cause(io.EOF), errs.RetryAfter(3*time.Second))
	e := translate(t, nil, err)
	require.Equal(t, errs.Invalid, e.Kind())
	require.Equal(t, 422, e.Status())
	require.Equal(t, "too_old", e.Code())
	require.Equal(t, "/born~1on", e.Field())
	require.EqualError(t, err, "Too old.")
	require.Equal(t, 3*time.Second, e.RetryAfter())
	require.ErrorIs(t, err, io.EOF)
	require.ErrorIs(t, err, errs.Invalid)
	require.NotErrorIs(t, err, errs.NotFound)

	plain := translate(t, nil, errs.New(errs.NotFound))
	require.Equal(t, "not_found", plain.Code())
	require.Equal(t, "Not found.", plain.Error())
}

func TestNewWithNonsenseIsInternalAndSaysWhy(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]errs.Option{
		"the code is empty":                      errs.Code(""),
		`the code "Bad Code" is not`:             errs.Code("Bad Code"),
		`the field "name" is not a JSON Pointer`: errs.Field("name"),
		`the field "/a~" has a ~`:                errs.Field("/a~"),
		"the message is empty":                   errs.Message(""),
		"the time to retry after, 0s, is not":    errs.RetryAfter(0),
		"errs.New(not_found): an option is nil":  nil,
		"the status 200 is not one of an error":  errs.Status(200),
		"there are no fields":                    errs.Fields(),
		`the field "a" is not a JSON Pointer`:    errs.Fields(errs.FieldError{Pointer: "a", Code: "x"}),
		`the code "X" is not`:                    errs.Fields(errs.FieldError{Pointer: "/a", Code: "X"}),
	} {
		err := errs.New(errs.NotFound, o, errs.Cause(io.EOF))
		require.ErrorIs(t, err, errs.Internal)
		require.EqualError(t, err, "Internal error.")
		require.ErrorContains(t, errors.Unwrap(err), want)
	}
}

func TestSeveralFields(t *testing.T) {
	t.Parallel()
	fields := []errs.FieldError{{Pointer: "/a", Code: "x", Detail: "X."}, {Pointer: "/b", Code: "y"}}
	e := translate(t, nil, errs.New(errs.Invalid, errs.Fields(fields...)))
	fields[0].Pointer = "/changed"
	require.Equal(t, "/a", e.Field())
	want := []errs.FieldError{{Pointer: "/a", Code: "x", Detail: "X."}, {Pointer: "/b", Code: "y", Detail: "A value is not allowed."}}
	require.Equal(t, want, e.Fields())
	e.Fields()[0].Pointer = "/changed"
	require.Equal(t, want, e.Fields())

	one := translate(t, nil, errs.New(errs.Invalid, errs.Code("z"), errs.Field("/a"), errs.Message("Z.")))
	require.Equal(t, []errs.FieldError{{Pointer: "/a", Code: "z", Detail: "Z."}}, one.Fields())
	require.Empty(t, translate(t, nil, errs.New(errs.Invalid)).Fields())
}

func TestStatusOfItsOwn(t *testing.T) {
	t.Parallel()
	e := translate(t, nil, errs.New(errs.NotFound, errs.Status(410), errs.Code("gone")))
	require.Equal(t, 410, e.Status())
	require.ErrorIs(t, e, errs.NotFound)
	require.Zero(t, e.RetryAfter())
}

func TestWhatMustNotBeSentAgainNeverSaysSo(t *testing.T) {
	t.Parallel()
	for _, k := range []errs.Kind{errs.Internal, errs.OutcomeUnknown} {
		require.Zero(t, translate(t, nil, errs.New(k, errs.RetryAfter(time.Second))).RetryAfter(), k)
	}
	require.Equal(t, time.Second, translate(t, nil, errs.New(kind.InFlight)).RetryAfter())
}
