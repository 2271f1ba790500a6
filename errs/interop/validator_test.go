package interop_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-playground/validator/v10"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
)

type order struct {
	Customer string `json:"customer" validate:"required"`
	Email    string `json:"email" validate:"omitempty,email"`
	Items    []item `json:"items" validate:"dive"`
}

type item struct {
	Amount int `json:"amount" validate:"min=1"`
}

func TestValidatorErrors(t *testing.T) {
	t.Parallel()
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	for _, test := range []struct {
		order order
		kind  errs.Kind
		want  [][2]string
	}{
		{order{}, errs.Required, [][2]string{{"/customer", "required"}}},
		{order{Email: canary, Items: []item{{1}, {0}}}, errs.Invalid,
			[][2]string{{"/customer", "required"}, {"/email", "email"}, {"/items/1/amount", "min"}}},
	} {
		raw := v.Struct(test.order)
		var e *errs.Error
		require.ErrorAs(t, errs.NewCatalog().Translate(raw), &e)
		require.Equal(t, test.kind, e.Kind())
		var got [][2]string
		for _, f := range e.Fields() {
			got = append(got, [2]string{f.Pointer, f.Code})
		}
		require.Equal(t, test.want, got)
		for _, f := range frameworks {
			a := f.serve(t, quiet(), fails(raw))(t)
			require.NotContains(t, a.wire, canary, f.name)
			require.Equal(t, test.kind.Error(), a.detail, f.name)
		}
	}
}
