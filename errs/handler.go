package errs

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
)

// Handler wraps a handler that returns its error. The error is translated,
// logged, and written as a problem details object (RFC 9457).
//
// Status 500 and above are logged as errors, the rest at debug level; that the
// client has gone, at info level. Nothing is written when the response has begun
// already.
func (c *Catalog) Handler(f func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tracked := &response{ResponseWriter: w}
		if err := f(tracked, r); err != nil {
			c.respond(tracked, r, err)
		}
	})
}

func (c *Catalog) respond(w *response, r *http.Request, err error) {
	e := c.translate(err)
	say := func(level slog.Level, message string) {
		c.log().LogAttrs(r.Context(), level, message,
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Any("error", e))
	}
	gone := e.kind == Canceled && r.Context().Err() != nil
	switch {
	case gone:
		say(slog.LevelInfo, "client has gone")
	case w.begun:
		say(slog.LevelError, "request failed after its response had begun")
	case e.Status() >= http.StatusInternalServerError || e.kind == Canceled:
		say(slog.LevelError, "request failed")
	default:
		say(slog.LevelDebug, "request refused")
	}
	if w.begun {
		return
	}
	switch {
	case gone:
		// Nobody reads it, unless it was the server that ended the request.
		e = &Error{kind: Unavailable}
	case e.kind == Canceled:
		// Something else was canceled; the client waits for its answer.
		e = &Error{kind: Internal}
	}
	if err := e.send(w); err != nil {
		c.log().LogAttrs(r.Context(), slog.LevelDebug, "error response not sent", slog.String("cause", err.Error()))
	}
}

// response notices when a response has begun.
type response struct {
	http.ResponseWriter
	begun bool
}

func (w *response) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.begun = true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(p)
}

// ReadFrom keeps sendfile for handlers that copy a file.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	n, err := io.Copy(w.ResponseWriter, src)
	if n > 0 {
		w.begun = true
	}
	return n, err
}

// Flush is for handlers that ask for an http.Flusher; FlushError for
// http.ResponseController.
func (w *response) Flush() { _ = w.FlushError() } // an http.Flusher cannot report it

func (w *response) FlushError() error {
	err := http.NewResponseController(w.ResponseWriter).Flush()
	if !errors.Is(err, http.ErrNotSupported) {
		w.begun = true
	}
	return err
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
