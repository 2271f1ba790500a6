package errs_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
)

func fails(err error) func(http.ResponseWriter, *http.Request) error {
	return func(http.ResponseWriter, *http.Request) error { return err }
}

func TestProblemUnlessTheClientTakesNoJSON(t *testing.T) {
	t.Parallel()
	const json, text = "application/problem+json", "text/plain; charset=utf-8"
	for accept, want := range map[string]string{
		"":                         json,
		"*/*":                      json,
		"application/json":         json,
		"application/problem+json": json,
		"application/*":            json,
		"Application/JSON":         json,
		"application/vnd.api+json": json,
		"text/html,application/xhtml+xml,*/*;q=0.8":          json,
		"text/html, application/json;q=0.001":                json,
		"text/plain, application/json; charset=utf-8; Q=0.1": json,
		"application/json;q=0, */*":                          json, // problem+json is left
		"application/problem+json;q=0, application/json":     json, // it reads JSON
		"application/*;q=0, application/problem+json":        json, // the most specific counts
		`text/html;x="a,application/json;q=0", */*;q=1.000`:  json,
		"application/json;q=0, application/json;v=2":         json,
		"nonsense":             json,
		"text/html;q=nonsense": json,
		"text/html;q=1.5, text/html;q=0.1234, text/html;q=.5": json,
		"*/json":          json,
		"text/html":       text,
		"text/html, q/a;": text,
		"text/*":          text,
		"*/*;q=0":         text,
		"*/*; q=0.000":    text,
		"application/json;q=0, application/problem+json;q=0, */*": text,
		"application/*;q=0, */*":                                  text,
		"application/json;Q=0, text/html":                         text,
		`text/html;x="a, application/json, b"`:                    text,
		`text/html;x="\", application/json, b"`:                   text,
		`text/html;x="a,application/json"`:                        text,
		`text/html;x="\",application/json"`:                       text,
		"text/html;q=1, application/json;q=0.0":                   text,
		"application/jsonp":                                       text,
	} {
		r := request(t)
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		resp, body, _ := serve(t, r, fails(errs.New(errs.Invalid, errs.Field("/a"), errs.Message("It is not."))))
		require.Equal(t, 422, resp.StatusCode, accept)
		require.Equal(t, want, resp.Header.Get("Content-Type"), accept)
		require.Equal(t, want == text, body == "It is not.\n", accept)
	}
	r := request(t)
	r.Header["Accept"] = []string{"text/html", "application/json"}
	resp, _, _ := serve(t, r, fails(errs.NotFound))
	require.Equal(t, json, resp.Header.Get("Content-Type"), "two lines are one list")
}

func TestProblemHeaders(t *testing.T) {
	t.Parallel()
	resp, _, _ := serve(t, request(t), func(w http.ResponseWriter, r *http.Request) error {
		for _, name := range []string{"ETag", "Last-Modified", "Expires", "Location", "Content-Encoding", "Content-Disposition",
			"Content-Range", "Content-Length", "Retry-After"} {
			w.Header().Set(name, "7")
		}
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.Header().Set("Allow", "GET")
		w.Header().Set("Vary", "Origin")
		return errs.MethodNotAllowed
	})
	for _, name := range []string{"ETag", "Last-Modified", "Expires", "Location", "Content-Encoding", "Content-Disposition",
		"Content-Range", "Content-Length", "Retry-After", "WWW-Authenticate"} {
		require.Empty(t, resp.Header.Get(name), name)
	}
	require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	require.Equal(t, "GET", resp.Header.Get("Allow"))
	require.Equal(t, "Origin", resp.Header.Get("Vary"))

	resp, _, _ = serve(t, request(t), fails(errs.Unauthenticated))
	require.Equal(t, "Bearer", resp.Header.Get("WWW-Authenticate"))
	resp, _, _ = serve(t, request(t), func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		return errs.Unauthenticated
	})
	require.Equal(t, []string{`Basic realm="x"`}, resp.Header.Values("WWW-Authenticate"))
}

func TestRetryAfterIsInWholeSecondsRoundedUp(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		time.Nanosecond: "1", time.Second: "1", time.Second + 1: "2", time.Hour: "3600", math.MaxInt64: "9223372037",
	} {
		resp, _, _ := serve(t, request(t), fails(errs.New(errs.TooManyRequests, errs.RetryAfter(d))))
		require.Equal(t, want, resp.Header.Get("Retry-After"), d)
	}
}

func TestProblemHasEveryField(t *testing.T) {
	t.Parallel()
	_, body, _ := serve(t, request(t), fails(errs.New(errs.Invalid, errs.Fields(
		errs.FieldError{Pointer: "/a", Code: "x", Detail: "X."}, errs.FieldError{Pointer: "/b", Code: "y", Detail: "Y."}))))
	require.JSONEq(t, `{"type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "invalid", "detail": "A value is not allowed.",
		"errors": [{"pointer": "/a", "code": "x", "detail": "X."}, {"pointer": "/b", "code": "y", "detail": "Y."}], "request_id": "given-1"}`, body)
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, test := range []struct {
		given []string
		taken bool
	}{
		{[]string{"7F3A-b_c.9"}, true},
		{[]string{strings.Repeat("x", 64)}, true},
		{[]string{strings.Repeat("x", 65)}, false},
		{[]string{""}, false},
		{[]string{"a b"}, false},
		{[]string{"a\nb"}, false},
		{[]string{`a"b`}, false},
		{[]string{"ä"}, false},
		{[]string{"a", "b"}, false},
		{nil, false},
	} {
		r := request(t)
		r.Header["X-Request-Id"] = test.given
		var inside string
		resp, body, log := serve(t, r, func(w http.ResponseWriter, r *http.Request) error {
			inside = errs.RequestID(r.Context())
			require.Equal(t, inside, w.Header().Get("X-Request-Id"), "also of a success")
			w.Header().Del("X-Request-Id")
			return errors.New("x")
		})
		require.Equal(t, test.taken, len(test.given) == 1 && inside == test.given[0], test.given)
		require.GreaterOrEqual(t, len(inside), 10)
		require.Equal(t, inside, resp.Header.Get("X-Request-Id"))
		require.Contains(t, body, `"request_id":"`+inside+`"`)
		require.Contains(t, log, "request_id="+inside)
		require.False(t, seen[inside], "each has its own")
		seen[inside] = true
	}
	require.Empty(t, errs.RequestID(t.Context()))
}

// quiet returns a catalog that logs into the lines.
func quiet(l *lines) *errs.Catalog {
	return shop.WithLogger(slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})))
}

func TestNestedHandlersAnswerAndLogOnce(t *testing.T) {
	t.Parallel()
	between := func(next http.Handler) http.Handler { // somebody else's middleware
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(noFlusher{w}, r) })
	}
	same := func(next http.Handler) http.Handler { return next }
	for name, wrap := range map[string]func(http.Handler) http.Handler{"nothing": same, "middleware": between} {
		for what, f := range map[string]func(http.ResponseWriter, *http.Request) error{
			"error": fails(errors.New("lost")),
			"panic": func(http.ResponseWriter, *http.Request) error { panic("lost") },
			"begun error": func(w http.ResponseWriter, _ *http.Request) error {
				_, _ = io.WriteString(w, "x")
				return errors.New("lost")
			},
			"begun panic": func(w http.ResponseWriter, _ *http.Request) error { _, _ = io.WriteString(w, "x"); panic("lost") },
		} {
			log := &lines{}
			c := quiet(log)
			var outer, inner string
			h := c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				outer = errs.RequestID(r.Context())
				wrap(c.Middleware(c.Handler(func(in http.ResponseWriter, r *http.Request) error {
					inner = errs.RequestID(r.Context())
					if name == "nothing" {
						require.Same(t, unwrapped(w), unwrapped(in), "wrapped twice")
					}
					return f(in, r)
				}))).ServeHTTP(w, r)
			}))
			w := httptest.NewRecorder()
			aborted := ends(h, w, request(t))
			require.Equal(t, strings.HasPrefix(what, "begun"), aborted, name+what)
			require.Equal(t, 1, strings.Count(log.String(), "lost"), name+what+log.String())
			require.Equal(t, outer, inner)
			if !aborted {
				require.Equal(t, 500, w.Code)
				require.Equal(t, 1, strings.Count(w.Body.String(), `"status"`))
			}
		}
	}
}

// buffer holds the output back, as compression does.
type buffer struct {
	http.ResponseWriter
	kept strings.Builder
}

func (b *buffer) WriteHeader(int)             {}
func (b *buffer) Write(p []byte) (int, error) { return b.kept.Write(p) }

func TestResponseBeginsInABufferToo(t *testing.T) {
	t.Parallel()
	c := quiet(&lines{})
	var between buffer
	h := c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		between.ResponseWriter = w
		c.Handler(func(w http.ResponseWriter, r *http.Request) error {
			_, _ = io.WriteString(w, "half")
			return errors.New("lost")
		}).ServeHTTP(&between, r)
	}))
	require.True(t, ends(h, httptest.NewRecorder(), request(t)))
	require.Equal(t, "half", between.kept.String())
}

func TestHEADWritesNoBodyWhateverTheServer(t *testing.T) {
	t.Parallel()
	r := request(t)
	r.Method = http.MethodHead
	resp, body, _ := serve(t, r, fails(errs.NotFound))
	require.Equal(t, 404, resp.StatusCode)
	require.Empty(t, body)
}

func unwrapped(w http.ResponseWriter) any {
	return w.(interface{ Unwrap() http.ResponseWriter }).Unwrap()
}

// ends reports whether the handler ended the connection.
func ends(h http.Handler, w http.ResponseWriter, r *http.Request) (ended bool) {
	defer func() {
		if p := recover(); p != nil {
			ended = p == http.ErrAbortHandler
			if !ended {
				panic(p)
			}
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

func TestWrite(t *testing.T) {
	t.Parallel()
	log := &lines{}
	c := quiet(log)
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"alone":           func(h http.Handler) http.Handler { return h },
		"with middleware": c.Middleware,
		"someone's writer": func(h http.Handler) http.Handler {
			return c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(noFlusher{w}, r) }))
		},
	} {
		w := httptest.NewRecorder()
		require.False(t, ends(wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.Write(w, r, nil)
			c.Write(w, r, errs.NotFound)
		})), w, request(t)), name)
		require.Equal(t, 404, w.Code, name)
		require.Contains(t, w.Body.String(), `"request_id":"given-1"`, name)
		require.Equal(t, "given-1", w.Header().Get("X-Request-Id"), name)
		require.Contains(t, log.String(), "request_id=given-1", name)

		w = httptest.NewRecorder()
		reached := false
		ended := ends(wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "half")
			c.Write(w, r, errors.New("lost"))
			reached = true
		})), w, request(t))
		require.True(t, reached, "the handler goes on")
		if name != "alone" {
			require.True(t, ended, name)
			require.Equal(t, "half", w.Body.String(), name)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	gone := request(t).WithContext(ctx)
	w := httptest.NewRecorder()
	c.Write(w, gone, gone.Context().Err())
	require.Equal(t, 503, w.Code, "an empty 200 would be worse")
}

func TestPanicsAreLoggedWithoutWhatADatabaseSaid(t *testing.T) {
	t.Parallel()
	_, body, log := serve(t, request(t), func(http.ResponseWriter, *http.Request) error {
		panic(&pgconn.PgError{Code: "23505", Message: "canary-value", Detail: "canary-value"})
	})
	require.Contains(t, body, `"code":"internal"`)
	require.Contains(t, log, "error.sqlstate=23505")
	require.NotContains(t, body+log, "canary-value")
}

func TestNothingToWrapPanicsAtOnce(t *testing.T) {
	t.Parallel()
	require.PanicsWithValue(t, "errs: Handler of a nil function", func() { shop.Handler(nil) })
	require.PanicsWithValue(t, "errs: Middleware of a nil handler", func() { shop.Middleware(nil) })
}
