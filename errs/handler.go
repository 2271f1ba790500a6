package errs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// Handler returns an [http.Handler] that calls f and answers the error that it
// returns. The error is translated, logged, and written as a problem details object
// (RFC 9457):
//
//	{"type", "title", "status", "detail", "code", "errors": [{"pointer", "code", "detail"}], "request_id"}
//
// A part of the request that is not in the body has parameter or header instead of
// pointer.
//
// A client that accepts no JSON gets the public text alone. Headers that f set for
// the body that it did not write (ETag, Location and so on) are removed; other
// headers are kept: set Allow before a 405, and WWW-Authenticate before a 401, for
// which the default is "Bearer". Headers set before f ran are kept too, such as the
// Content-Encoding of an outer middleware that compresses. Errors are marked as not
// to be stored by caches.
//
// Status 500 and above are logged as errors, others at debug level. If the client has
// gone, status 499 is logged at info level and nothing is written: that is the case
// if the context of the request was canceled without another cause. A server that
// cancels its requests to stop should set a cause ([context.WithCancelCause]); they
// are then answered with 503.
//
// If a response has begun already, nothing is added to it. If it claimed success, its
// connection is ended (with HTTP/2 the stream is reset), so that the client does not
// take half a body for a whole one; an error that f wrote itself stands.
//
// A panic is logged with its stack and answered with 500; if the response has begun,
// the connection is ended. [http.ErrAbortHandler] is passed on. If f took over the
// connection, errors and panics are only logged.
//
// A connection is ended by a panic with [http.ErrAbortHandler], which only the server
// of net/http understands. Outer middleware that recovers panics must pass it on, or
// half a body looks like a whole one: keep Handler outside of such middleware, or see
// the recipes in errs/interop for chi, gin, echo, fiber and gorilla.
//
// Each request has an id, see [RequestID]. Handlers may be nested, also in
// [Catalog.Middleware]: the innermost answers and logs, once.
func (c *Catalog) Handler(f func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	if f == nil {
		panic("errs: Handler of a nil function")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, f) })
}

// Middleware is like [Catalog.Handler] for handlers that write their errors
// themselves, such as a whole [http.ServeMux]: it answers panics, gives each request
// an id, and tells [Catalog.Write] whether the response has begun.
//
// If next is a ServeMux, its own 404 and 405 become problem details too, with its
// Allow. If other middleware is between, wrap the ServeMux once more:
// catalog.Middleware(logging(catalog.Middleware(mux))).
func (c *Catalog) Middleware(next http.Handler) http.Handler {
	if next == nil {
		panic("errs: Middleware of a nil handler")
	}
	if mux, ok := next.(*http.ServeMux); ok {
		return c.Handler(func(w http.ResponseWriter, r *http.Request) error { return route(mux, w, r) })
	}
	return c.Handler(func(w http.ResponseWriter, r *http.Request) error {
		next.ServeHTTP(w, r)
		return nil
	})
}

// route returns an error if mux has no handler for the request. The ServeMux reports
// that by the Pattern of the request.
func route(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) error {
	x := responseOf(r.Context())
	outer := x.routed
	x.routed = r
	defer func() { x.routed, x.unrouted = outer, 0 }()
	mux.ServeHTTP(w, r)
	switch x.unrouted {
	case 0:
		return nil
	case http.StatusMethodNotAllowed:
		return MethodNotAllowed
	}
	return NotFound
}

// Write logs and writes err as [Catalog.Handler] would, for handlers with another
// signature. If err is nil, it does nothing. If the connection has to be ended, that
// happens when the handler returns.
//
// Pass the request that Handler or [Catalog.Middleware] gave to the handler. Outside
// of these, Write cannot know whether a response has begun, and cannot end a
// connection; a client that has gone is answered with 503.
func (c *Catalog) Write(w http.ResponseWriter, r *http.Request, err error) {
	if err == nil {
		return
	}
	x := responseOf(r.Context())
	if x == nil {
		x = newResponse(w, r)
		x.alone = true
	}
	if w != x.handed { // a middleware in between may compress
		outer := x.before
		x.before = encodedBy(w)
		defer func() { x.before = outer }()
	}
	c.respond(x, w, r, err)
}

func (c *Catalog) serve(w http.ResponseWriter, r *http.Request, f func(http.ResponseWriter, *http.Request) error) {
	x := responseOf(r.Context())
	if x == nil || x.handed != w { // a middleware in between may buffer, and begins later
		x = newResponse(w, r)
		given := r
		r = r.WithContext(context.WithValue(r.Context(), responseKey{}, x))
		// The server removes the files of a form only from the request that it knows.
		defer func() {
			if given.MultipartForm == nil {
				given.MultipartForm = r.MultipartForm
			}
		}()
		w = x.handed
		w.Header().Set(requestIDHeader, x.id)
	}
	outer := x.before
	x.before = standing(w.Header())
	defer func() { x.before = outer }()
	defer func() {
		if p := recover(); p != nil {
			c.panicked(x, w, r, p)
		}
		if x.abort {
			panic(http.ErrAbortHandler)
		}
	}()
	if err := f(w, r); err != nil {
		c.respond(x, w, r, err)
	}
}

func (c *Catalog) respond(x *response, w http.ResponseWriter, r *http.Request, err error) {
	e := c.translate(err)
	gone := clientGone(r.Context(), e)
	switch {
	case gone:
		e = &Error{kind: Canceled, cause: err}
	case e.kind == Canceled && r.Context().Err() != nil: // the server ends the request
		e = &Error{kind: Unavailable, cause: err}
	case e.kind == Canceled: // something else was canceled, and the client waits
		e = &Error{kind: Internal, cause: err}
	}
	level, message := slog.LevelDebug, "request refused"
	switch {
	case gone:
		level, message = slog.LevelInfo, "client has gone"
	case x.hijacked:
		level, message = slog.LevelError, "request failed after its connection was taken over"
	case x.begun:
		level, message = slog.LevelError, "request failed after its response had begun"
	case e.Status() >= http.StatusInternalServerError:
		level, message = slog.LevelError, "request failed"
	}
	c.report(level, message, x, r, e)
	switch {
	case x.hijacked:
	case gone && !x.alone:
		// Otherwise the server would write an empty 200.
		x.abort = true
	case gone:
		c.send(x, w, r, &Error{kind: Unavailable})
	case x.begun:
		x.abort = x.abort || x.status < http.StatusBadRequest
	default:
		c.send(x, w, r, e)
	}
}

func (c *Catalog) panicked(x *response, w http.ResponseWriter, r *http.Request, p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	cause, ok := p.(error)
	if !ok {
		cause = fmt.Errorf("%v", p)
	}
	e := &Error{kind: Internal, cause: fmt.Errorf("panic: %w", cause)}
	message := "handler panicked"
	if x.begun {
		message = "handler panicked after its response had begun"
	}
	c.report(slog.LevelError, message, x, r, e, slog.String("stack", string(debug.Stack())))
	switch {
	case x.hijacked:
	case x.begun:
		x.abort = true
	default:
		c.send(x, w, r, e)
	}
}

func (c *Catalog) send(x *response, w http.ResponseWriter, r *http.Request, e *Error) {
	x.routed = nil // discards the answer of the mux
	if err := c.localizeFor(r, e).send(w, r, x); err != nil {
		c.log().LogAttrs(r.Context(), slog.LevelDebug, "error response not sent",
			slog.String("request_id", x.id), slog.String("cause", err.Error()))
	}
}

func (c *Catalog) report(level slog.Level, message string, x *response, r *http.Request, e *Error, more ...slog.Attr) {
	c.log().LogAttrs(r.Context(), level, message, append([]slog.Attr{
		slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.String("request_id", x.id), slog.Any("error", e)}, more...)...)
}

// clientGone reports whether the client's going away caused e: net/http then cancels
// the context of the request without a cause. A database may report that a statement
// was canceled and not why, which is a Timeout elsewhere.
func clientGone(ctx context.Context, e *Error) bool {
	return (e.kind == Canceled || e.kind == Timeout) &&
		errors.Is(ctx.Err(), context.Canceled) && context.Cause(ctx) == context.Canceled
}
