package errs_test

import (
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
)

// compressed encodes the output of next, and declares the encoding before next runs,
// as gorilla's CompressHandler does.
func compressed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		z := gzip.NewWriter(w)
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Add("Vary", "Accept-Encoding")
		next.ServeHTTP(&compressing{w, z}, r)
		if r.Method != http.MethodHead {
			_ = z.Close()
		}
	})
}

type compressing struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (w *compressing) WriteHeader(status int) {
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(status)
}

func (w *compressing) Write(p []byte) (int, error) { return w.z.Write(p) }

func silent() *errs.Catalog { return shop.WithLogger(slog.New(slog.DiscardHandler)) }

func TestErrorsBehindAMiddlewareThatCompresses(t *testing.T) {
	t.Parallel()
	c := silent()
	failing := func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("ETag", `"1"`)
		if strings.HasSuffix(r.URL.Path, "panic") {
			panic("x")
		}
		return errs.NotFound
	}
	writing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				c.Write(w, r, errs.Internal)
			}
		}()
		c.Write(w, r, failing(w, r))
	})
	for name, h := range map[string]http.Handler{
		"around Handler":           compressed(c.Handler(failing)),
		"around Middleware":        compressed(c.Middleware(writing)),
		"between two":              c.Middleware(compressed(c.Handler(failing))),
		"between, and Write":       c.Middleware(compressed(writing)),
		"around Write alone":       compressed(writing),
		"around Middleware of one": compressed(c.Middleware(c.Handler(failing))),
	} {
		srv := httptest.NewServer(h)
		for path, status := range map[string]int{"/": 404, "/panic": 500} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+path, nil)
			require.NoError(t, err)
			r.Header.Set("Accept-Encoding", "gzip")
			resp, err := srv.Client().Do(r)
			require.NoError(t, err, name)
			require.Equal(t, status, resp.StatusCode, name)
			require.Equal(t, "gzip", resp.Header.Get("Content-Encoding"), name)
			require.Empty(t, resp.Header.Get("ETag"), name)
			z, err := gzip.NewReader(resp.Body)
			require.NoError(t, err, name)
			body, err := io.ReadAll(z)
			require.NoError(t, err, name)
			require.Contains(t, string(body), `"status":`, name)
			require.NoError(t, resp.Body.Close())

			resp, err = srv.Client().Head(srv.URL + path)
			require.NoError(t, err, name)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, status, resp.StatusCode, name)
		}
		srv.Close()
	}
}

// Headers that a handler sets for a body of its own are never kept.
func TestHeadersThatWereThereBefore(t *testing.T) {
	t.Parallel()
	c := silent()
	for name, inner := range map[string]http.Handler{
		"Handler": c.Handler(func(w http.ResponseWriter, _ *http.Request) error {
			for _, header := range []string{"Content-Encoding", "ETag", "Content-Length", "Location"} {
				w.Header().Set(header, "1")
			}
			return errs.NotFound
		}),
		"Write alone": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			w.Header().Set("Content-Length", "1")
			c.Write(w, r, errs.NotFound)
		}),
	} {
		w := httptest.NewRecorder()
		if name == "Handler" {
			w.Header()["Content-Language"], w.Header()["Etag"] = []string{"en"}, []string{`"before"`}
		}
		w.Header().Set("Content-Length", "77")
		inner.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
		require.Equal(t, 404, w.Code, name)
		for _, header := range []string{"Content-Encoding", "Content-Length", "Location"} {
			require.Empty(t, w.Header().Get(header), name)
		}
		if name == "Handler" {
			require.Equal(t, "en", w.Header().Get("Content-Language"))
			require.Equal(t, `"before"`, w.Header().Get("ETag"))
		}
	}
}

func TestServeMuxAnswersWithProblems(t *testing.T) {
	t.Parallel()
	c := silent()
	own := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "mine", http.StatusNotFound) }
	inner := http.NewServeMux()
	inner.HandleFunc("GET /inner/own", own)
	stripped := http.NewServeMux()
	stripped.HandleFunc("GET /own", own)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /own", own)
	mux.HandleFunc("POST /own", own)
	mux.Handle("/inner/", inner)
	mux.Handle("/wrapped/", c.Middleware(http.StripPrefix("/wrapped", c.Middleware(stripped))))
	mux.HandleFunc("/tree/", func(w http.ResponseWriter, r *http.Request) { c.Write(w, r, errs.Forbidden) })
	for path, want := range map[string]struct {
		method string
		status int
		code   string
		allow  string
	}{
		"/nothing":         {"GET", 404, "not_found", ""},
		"/own":             {"DELETE", 405, "method_not_allowed", "GET, HEAD, POST"},
		"/own?":            {"GET", 404, "", ""},
		"/inner/nothing":   {"GET", 404, "not_found", ""},
		"/inner/own":       {"PUT", 405, "method_not_allowed", "GET, HEAD"},
		"/inner/own?":      {"GET", 404, "", ""},
		"/wrapped/nothing": {"GET", 404, "not_found", ""},
		"/wrapped/own":     {"POST", 405, "method_not_allowed", "GET, HEAD"},
		"/wrapped/own?":    {"GET", 404, "", ""},
		"/tree/x":          {"GET", 403, "forbidden", ""},
		"/tree":            {"GET", 307, "redirect", ""},
	} {
		for name, h := range map[string]http.Handler{"alone": c.Middleware(mux), "twice": c.Middleware(c.Middleware(mux)), "compressed": c.Middleware(compressed(c.Middleware(mux)))} {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), want.method, strings.TrimSuffix(path, "?"), nil)
			h.ServeHTTP(w, r)
			body := w.Body.String()
			if name == "compressed" {
				z, err := gzip.NewReader(w.Body)
				require.NoError(t, err, path)
				all, err := io.ReadAll(z)
				require.NoError(t, err, path)
				body = string(all)
			}
			switch {
			case want.status == 307:
				require.Contains(t, []int{301, 307}, w.Code)
				require.Equal(t, "/tree/", w.Header().Get("Location"))
			case want.code == "":
				require.Equal(t, "mine\n", body, path)
			default:
				require.Contains(t, body, `"code":"`+want.code+`"`, path)
				require.Equal(t, 1, strings.Count(body, "{"), path)
				require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"), path)
			}
			if want.status != 307 {
				require.Equal(t, want.status, w.Code, path)
			}
			require.Equal(t, want.allow, w.Header().Get("Allow"), path)
		}
	}
}
