package errs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
)

// failed has the methods of a FieldError of go-playground/validator.
type failed struct{ tag, namespace, structNamespace string }

func (f failed) Tag() string             { return f.tag }
func (f failed) Namespace() string       { return f.namespace }
func (f failed) StructNamespace() string { return f.structNamespace }
func (f failed) Field() string           { return f.namespace[strings.LastIndexByte(f.namespace, '.')+1:] }
func (f failed) StructField() string {
	return f.structNamespace[strings.LastIndexByte(f.structNamespace, '.')+1:]
}
func (f failed) Param() string { return "canary" }
func (f failed) Value() any    { panic("the value was asked for") }
func (f failed) Error() string { return "Key: canary" }

type fieldError interface {
	Tag() string
	Namespace() string
	StructNamespace() string
	Field() string
	StructField() string
	Param() string
	Error() string
}

type validationErrors []fieldError

func (validationErrors) Error() string { return "Key: canary" }

func TestValidationErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		failed failed
		want   string
	}{
		{failed{"required", "Order.name", "Order.Name"}, "/name required"},
		{failed{"required_with", "Order.Name", "Order.Name"}, "/name required_with"},
		{failed{"gte", "Order.items[2].unit_price", "Order.Items[2].UnitPrice"}, "/items/2/unit_price gte"},
		{failed{"max", "Order.Items[2].Name", "Order.Items[2].Name"}, "/items/2/name max"},
		{failed{"max", "Order.UserID", "Order.UserID"}, "/userID max"},
		{failed{"max", "Order.ID", "Order.ID"}, "/id max"},
		{failed{"max", "Order.URLPath", "Order.URLPath"}, "/urlPath max"},
		{failed{"max", "Order.Untagged.name", "Order.Untagged.Name"}, "/Untagged/name max"},
		{failed{"max", "Order.grid[1][2]", "Order.Grid[1][2]"}, "/grid/1/2 max"},
		{failed{"max", "Order.labels[a.b/c~d]", "Order.Labels[a.b/c~d]"}, "/labels/a.b~1c~0d max"},
		{failed{"max", "Page[example.com/x.Item].items", "Page[example.com/x.Item].Items"}, "/items max"},
		{failed{"max", "address.city", "Address.City"}, "/address/city max"},
		{failed{"max", "Name", "Name"}, "/name max"},
		{failed{"email", "", ""}, " email"},
		{failed{"email", "[3]", "[3]"}, "/3 email"},
		{failed{"rgb|Not-Blank", "Order.name", "Order.Name"}, "/name rgb_not_blank"},
	} {
		e := translate(t, nil, fmt.Errorf("checked: %w", validationErrors{test.failed}))
		fields := e.Fields()
		require.Len(t, fields, 1)
		require.Equal(t, test.want, fields[0].Pointer+" "+fields[0].Code)
		want := errs.Invalid
		if strings.HasPrefix(test.failed.tag, "required") {
			want = errs.Required
		}
		require.Equal(t, want, e.Kind())
		require.Equal(t, want.Error(), fields[0].Detail)
		require.Equal(t, want.Code(), e.Code())
	}
}

func TestValidationErrorsInABody(t *testing.T) {
	t.Parallel()
	resp, body, log := serve(t, request(t), fails(validationErrors{
		failed{"required", "Order.name", "Order.Name"}, failed{"max", "Order.note", "Order.Note"}}))
	require.Equal(t, 422, resp.StatusCode)
	require.JSONEq(t, `{"type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "invalid", "detail": "A value is not allowed.",
		"errors": [{"pointer": "/name", "code": "required", "detail": "A required value is missing."},
			{"pointer": "/note", "code": "max", "detail": "A value is not allowed."}], "request_id": "given-1"}`, body)
	require.Contains(t, log, "level=DEBUG")
	require.NotContains(t, body, "canary")
}

func TestValidationErrorsAreBounded(t *testing.T) {
	t.Parallel()
	many := make(validationErrors, 5000)
	for i := range many {
		many[i] = failed{"required", "Order.name", "Order.Name"}
	}
	many[4999] = failed{"max", "Order.name", "Order.Name"}
	e := translate(t, nil, many)
	require.Len(t, e.Fields(), 100)
	require.Equal(t, errs.Invalid, e.Kind(), "those left out count")
}

type otherErrors []error

func (otherErrors) Error() string { return "others" }

func TestOtherListsAreNoValidationErrors(t *testing.T) {
	t.Parallel()
	for _, err := range []error{validationErrors{}, validationErrors(nil), validationErrors{nil}, otherErrors{errs.NotFound},
		validationErrors{(*failed)(nil)}} {
		require.Equal(t, errs.Internal, translate(t, nil, err).Kind())
	}
}
