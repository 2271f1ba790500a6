package errs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
)

// serve answers one request with f, and returns the response and the log. A
// connection that is ended has the header Aborted.
func serve(t *testing.T, r *http.Request, f func(http.ResponseWriter, *http.Request) error) (*http.Response, string, string) {
	t.Helper()
	var log bytes.Buffer
	c := shop.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	w := httptest.NewRecorder()
	aborted := false
	func() {
		defer func() {
			if p := recover(); p != nil {
				require.Equal(t, http.ErrAbortHandler, p)
				aborted = true
			}
		}()
		c.Handler(f).ServeHTTP(w, r)
	}()
	resp := w.Result()
	if aborted {
		resp.Header.Set("Aborted", "yes")
	}
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body), log.String()
}

func request(t *testing.T) *http.Request {
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/customers", nil)
	r.Header.Set("X-Request-Id", "given-1")
	return r
}

func TestHandlerWritesProblemDetails(t *testing.T) {
	t.Parallel()
	resp, body, log := serve(t, request(t), func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Length", "5")
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("WWW-Authenticate", "Bearer")
		return &pgconn.PgError{Code: "23505", ConstraintName: "customers_email_key"}
	})
	require.Equal(t, 409, resp.StatusCode)
	require.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"))
	require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
	require.Empty(t, resp.Header.Get("ETag"))
	require.Empty(t, resp.Header.Get("Retry-After"))
	require.Equal(t, "Bearer", resp.Header.Get("WWW-Authenticate"))
	require.JSONEq(t, `{
		"type": "about:blank", "title": "Conflict", "status": 409, "code": "email_taken",
		"detail": "This e-mail address is already registered.",
		"errors": [{"pointer": "/email", "code": "email_taken", "detail": "This e-mail address is already registered."}],
		"request_id": "given-1"
	}`, body)
	require.Contains(t, log, "level=DEBUG")
}

func TestHandlerLogsWhatAnEngineerMustMend(t *testing.T) {
	t.Parallel()
	resp, body, log := serve(t, request(t), func(http.ResponseWriter, *http.Request) error { return errors.New("disk on fire") })
	require.Equal(t, 500, resp.StatusCode)
	require.NotContains(t, body, "fire")
	require.JSONEq(t, `{"type": "about:blank", "title": "Internal Server Error", "status": 500, "code": "internal", "detail": "Internal error.", "request_id": "given-1"}`, body)
	require.Contains(t, log, "level=ERROR")
	require.Contains(t, log, "disk on fire")
	require.Contains(t, log, "path=/customers")
}

func TestHandlerSaysWhenToRetry(t *testing.T) {
	t.Parallel()
	resp, _, _ := serve(t, request(t), func(http.ResponseWriter, *http.Request) error { return errs.Contention })
	require.Equal(t, 503, resp.StatusCode)
	require.Equal(t, "1", resp.Header.Get("Retry-After"))
}

func TestHandlerLeavesAResponseThatHasBegun(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(w http.ResponseWriter){
		"Write":       func(w http.ResponseWriter) { _, _ = io.WriteString(w, "partial") },
		"WriteHeader": func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK); _, _ = io.WriteString(w, "partial") },
		"ReadFrom": func(w http.ResponseWriter) {
			_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("partial"))
		},
		"Flush": func(w http.ResponseWriter) { w.(http.Flusher).Flush(); _, _ = io.WriteString(w, "partial") },
		"ResponseController": func(w http.ResponseWriter) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "partial")
		},
	} {
		resp, body, log := serve(t, request(t), func(w http.ResponseWriter, r *http.Request) error {
			begin(w)
			return errors.New("too late")
		})
		require.Equal(t, 200, resp.StatusCode, name)
		require.Equal(t, "partial", body, name)
		require.Equal(t, "yes", resp.Header.Get("Aborted"), name)
		require.Contains(t, log, "after its response had begun", name)
	}
}

func TestEarlyHintsAreNoResponse(t *testing.T) {
	t.Parallel()
	_, body, _ := serve(t, request(t), func(w http.ResponseWriter, r *http.Request) error {
		w.WriteHeader(http.StatusEarlyHints)
		return errs.NotFound
	})
	require.Contains(t, body, "not_found")
}

// The context of a request may end because of the client, a middleware's deadline or
// the server's shutdown. Only a client that has gone gets no response.
func TestHandlerAnswersWhenTheContextIsDone(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	stopped, stop := context.WithCancelCause(t.Context())
	stop(errors.New("the server stops"))
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for name, test := range map[string]struct {
		ctx    context.Context
		err    error
		status int // 0 is an ended connection
		level  string
		logged int
	}{
		"client gone":                {canceled, context.Canceled, 0, "level=INFO", 499},
		"client gone, says server":   {canceled, errs.Timeout, 0, "level=INFO", 499},
		"server stops":               {stopped, context.Canceled, 503, "level=ERROR", 503},
		"late":                       {late, context.DeadlineExceeded, 504, "level=ERROR", 504},
		"late, says server":          {late, errs.Timeout, 504, "level=ERROR", 504},
		"late, but something else":   {late, &pgconn.PgError{Code: "23505"}, 409, "level=DEBUG", 409},
		"client gone, but unknown":   {canceled, errs.OutcomeUnknown, 500, "level=ERROR", 500},
		"canceled for somebody else": {t.Context(), context.Canceled, 500, "level=ERROR", 500},
		"statement timeout, no more": {t.Context(), errs.Timeout, 504, "level=ERROR", 504},
	} {
		resp, body, log := serve(t, request(t).WithContext(test.ctx), func(http.ResponseWriter, *http.Request) error { return test.err })
		if test.status == 0 {
			require.Equal(t, "yes", resp.Header.Get("Aborted"), name)
			require.Empty(t, body, name)
		} else {
			require.Equal(t, test.status, resp.StatusCode, name)
			require.Empty(t, resp.Header.Get("Aborted"), name)
		}
		require.Contains(t, log, test.level, name)
		require.Contains(t, log, fmt.Sprintf("error.status=%d", test.logged), name)
	}
}

// noFlusher is a response that cannot be flushed.
type noFlusher struct{ http.ResponseWriter }

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("no data") }

func TestHandlerAnswersWhenNothingWasWritten(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(w http.ResponseWriter) error{
		"copy of nothing": func(w http.ResponseWriter) error { _, err := io.Copy(w, failingReader{}); return err },
		"no flush":        func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() },
	} {
		w := httptest.NewRecorder()
		shop.WithLogger(slog.New(slog.DiscardHandler)).Handler(func(w http.ResponseWriter, r *http.Request) error { return f(w) }).
			ServeHTTP(noFlusher{w}, request(t))
		require.Equal(t, 500, w.Code, name)
	}
}

func TestHandlerWithoutError(t *testing.T) {
	t.Parallel()
	resp, body, log := serve(t, request(t), func(w http.ResponseWriter, r *http.Request) error {
		w.WriteHeader(http.StatusCreated)
		_, err := io.WriteString(w, "made")
		return err
	})
	require.Equal(t, 201, resp.StatusCode)
	require.Equal(t, "made", body)
	require.Empty(t, log)
}

func TestErrorIsItsOwnBody(t *testing.T) {
	t.Parallel()
	body, err := json.Marshal(errs.New(errs.NotFound))
	require.NoError(t, err)
	require.JSONEq(t, `{"type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found", "detail": "Not found."}`, string(body))
}
