package errs

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAcceptLanguage(t *testing.T) {
	t.Parallel()
	for header, want := range map[string][]string{
		"":                                   nil,
		"de":                                 {"de"},
		"en;q=0.5, de-AT, fr;q=0.7, *;q=0.1": {"de-AT", "fr", "en"},
		"de;q=0, en":                         {"en"},
		"de;q=2, fr;q=x, it;x=1, en;q=NaN":   nil,
		"<script>, en":                       {"en"},
		strings.Repeat("a,", 1000):           slices.Repeat([]string{"a"}, maxLanguages),
	} {
		require.Equal(t, want, acceptLanguage(header), header)
	}
}

func TestLocalize(t *testing.T) {
	t.Parallel()
	texts := func(ctx context.Context, code string) string {
		if slices.Contains(Languages(ctx), "de") {
			return map[string]string{"taken": "Vergeben.", "too_short": "Zu kurz."}[code]
		}
		return ""
	}
	base := NewCatalog()
	c := base.WithMessages(texts)
	e := &Error{kind: Invalid, code: "taken", fields: []FieldError{{Pointer: "/a", Code: "too_short", Detail: "Too short."}, {Pointer: "/b", Code: "other", Detail: "Other."}}}

	r := httptest.NewRequest("GET", "/", nil)
	require.Equal(t, Invalid.Error(), c.localizeFor(r, e).Error())
	r.Header.Set("Accept-Language", "en;q=0.5, de")
	require.Equal(t, "Vergeben.", c.localizeFor(r, e).Error())
	require.Equal(t, []FieldError{{Pointer: "/a", Code: "too_short", Detail: "Zu kurz."}, {Pointer: "/b", Code: "other", Detail: "Other."}}, c.localizeFor(r, e).Fields())
	require.Equal(t, "Too short.", e.Fields()[0].Detail, "the error is as it was")
	require.Equal(t, "taken", c.localizeFor(r, e).Code())

	// Languages set by the application take precedence over the header.
	english := r.WithContext(ContextWithLanguages(r.Context(), "en"))
	require.Equal(t, Invalid.Error(), c.localizeFor(english, e).Error())

	require.Same(t, e, base.localizeFor(r, e))
	require.Same(t, e, (*Catalog)(nil).localizeFor(r, e))
	require.NoError(t, c.TranslateContext(context.Background(), nil))
	require.EqualError(t, c.TranslateContext(ContextWithLanguages(context.Background(), "de"), e), "Vergeben.")
}
