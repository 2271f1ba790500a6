package errs

import (
	"io"
	"log/slog"
	"net/http"
)

// Handler wraps a handler that returns its error. The error is translated,
// logged, and written as a problem details object (RFC 9457).
//
// Status 500 and above are logged as errors, the rest at debug level. Nothing
// is written when the response has begun already or the client has gone.
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
	gone := r.Context().Err() != nil
	if e.kind == Canceled && !gone {
		// Something else was canceled; the client waits for its answer.
		e = &Error{kind: Internal, cause: err}
	}
	say := func(level slog.Level, message string) {
		c.log().LogAttrs(r.Context(), level, message,
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Any("error", e))
	}
	switch {
	case gone && (e.kind == Canceled || w.begun):
		say(slog.LevelInfo, "client has gone")
		return
	case w.begun:
		say(slog.LevelError, "request failed after its response had begun")
		return
	case e.Status() >= http.StatusInternalServerError:
		say(slog.LevelError, "request failed")
	default:
		say(slog.LevelDebug, "request refused")
	}
	if gone {
		return
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
	w.begun = true
	return io.Copy(w.ResponseWriter, src)
}

// Flush is for handlers that ask for an http.Flusher; FlushError for
// http.ResponseController.
func (w *response) Flush() { _ = w.FlushError() } // an http.Flusher cannot report it

func (w *response) FlushError() error {
	w.begun = true
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
