package errs

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// WithMessages returns a copy that calls text for the public text of each error
// before it is written. code is the code of the error, such as "email_taken". If text
// returns "", the error keeps its text. Fields with a code of their own are treated
// likewise.
//
// [Languages] returns the languages that the client prefers from ctx. text must be
// safe for concurrent use, and its result is shown to clients: it should choose among
// constants.
func (c *Catalog) WithMessages(text func(ctx context.Context, code string) string) *Catalog {
	copied := c.clone()
	copied.messages = text
	return copied
}

// TranslateContext is like [Catalog.Translate] with the texts of
// [Catalog.WithMessages], for code outside the HTTP handlers of this package.
func (c *Catalog) TranslateContext(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	return c.localize(ctx, c.translate(err))
}

// localize returns e with the texts that the catalog has for ctx.
func (c *Catalog) localize(ctx context.Context, e *Error) *Error {
	if c == nil || c.messages == nil {
		return e
	}
	copied := *e
	if text := c.messages(ctx, e.Code()); text != "" {
		copied.message = text
	}
	copied.fields = slices.Clone(e.fields)
	for i, f := range copied.fields {
		if text := c.messages(ctx, f.Code); text != "" {
			copied.fields[i].Detail = text
		}
	}
	return &copied
}

// localizeFor is localize for the client that sent r.
func (c *Catalog) localizeFor(r *http.Request, e *Error) *Error {
	if c == nil || c.messages == nil {
		return e
	}
	ctx := r.Context()
	if _, set := ctx.Value(languagesKey{}).([]string); !set {
		ctx = ContextWithLanguages(ctx, acceptLanguage(r.Header.Get("Accept-Language"))...)
	}
	return c.localize(ctx, e)
}

type languagesKey struct{}

// ContextWithLanguages returns a context with the languages that the client prefers,
// best first, such as "de-AT", "en". Without it a handler uses the Accept-Language
// header.
func ContextWithLanguages(ctx context.Context, languages ...string) context.Context {
	return context.WithValue(ctx, languagesKey{}, slices.Clone(languages))
}

// Languages returns the languages that the client prefers, best first, as the client
// wrote them. It is for the function given to [Catalog.WithMessages].
func Languages(ctx context.Context) []string {
	languages, _ := ctx.Value(languagesKey{}).([]string)
	return slices.Clone(languages)
}

// maxLanguages bounds the work that a client can cause.
const maxLanguages = 16

// acceptLanguage parses a header of RFC 9110, 12.5.4. It skips entries that are
// malformed, not wanted (q=0) or "*".
func acceptLanguage(header string) []string {
	type choice struct {
		tag string
		q   float64
	}
	var choices []choice
	for part := range strings.SplitSeq(header, ",") {
		if len(choices) == maxLanguages {
			break
		}
		tag, params, _ := strings.Cut(part, ";")
		c := choice{strings.TrimSpace(tag), 1}
		if q, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if c.q, err = strconv.ParseFloat(q, 64); err != nil || !(c.q > 0 && c.q <= 1) {
				continue
			}
		} else if strings.TrimSpace(params) != "" {
			continue
		}
		if isTag(c.tag) {
			choices = append(choices, c)
		}
	}
	slices.SortStableFunc(choices, func(a, b choice) int {
		switch {
		case a.q > b.q:
			return -1
		case a.q < b.q:
			return 1
		}
		return 0
	})
	var tags []string
	for _, c := range choices {
		tags = append(tags, c.tag)
	}
	return tags
}

func isTag(s string) bool {
	if s == "" || len(s) > 35 {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}
