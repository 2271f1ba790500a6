package errs

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
)

// response is the ResponseWriter of a handler. It records when the response begins.
type response struct {
	http.ResponseWriter
	handed   http.ResponseWriter // this response, as the handler has it
	id       string              // of the request
	begun    bool
	status   int  // once it has begun
	hijacked bool // the handler has the connection
	abort    bool // end the connection when the handler returns
	alone    bool // no Handler or Middleware is around

	before   http.Header   // the headers of unwritten that were set before the handler ran
	routed   *http.Request // set while a ServeMux runs, whose own 404 and 405 are held back
	unrouted int           // the status that was held back
}

type responseKey struct{}

func responseOf(ctx context.Context) *response {
	x, _ := ctx.Value(responseKey{}).(*response)
	return x
}

func newResponse(w http.ResponseWriter, r *http.Request) *response {
	x := &response{ResponseWriter: w, id: requestID(r)}
	x.handed = x
	if canHijack(w) {
		x.handed = hijackable{x}
	}
	return x
}

func (w *response) begin(status int) {
	if !w.begun {
		w.begun, w.status = true, status
	}
}

func (w *response) WriteHeader(status int) {
	if w.routed != nil && w.routed.Pattern == "" && !w.begun && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) {
		w.unrouted = status
		return
	}
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.begin(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	if w.unrouted != 0 {
		return len(p), nil
	}
	w.begin(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// ReadFrom preserves sendfile for handlers that copy a file.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	was := w.begun
	w.begin(http.StatusOK) // before the copy, in case src panics half-way
	n, err := io.Copy(w.ResponseWriter, src)
	if n == 0 {
		w.begun = was
	}
	return n, err
}

// Flush implements http.Flusher. FlushError is for http.ResponseController.
func (w *response) Flush() { _ = w.FlushError() } // an http.Flusher cannot report it

func (w *response) FlushError() error {
	err := http.NewResponseController(w.ResponseWriter).Flush()
	if !errors.Is(err, http.ErrNotSupported) {
		w.begin(http.StatusOK)
	}
	return err
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// hijackable is a response whose connection can be taken over. Handlers find out by
// the method, so it is a type of its own.
type hijackable struct{ *response }

func (w hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.begin(http.StatusSwitchingProtocols)
		w.hijacked = true
	}
	return conn, rw, err
}

func canHijack(w http.ResponseWriter) bool {
	for {
		switch u := w.(type) {
		case http.Hijacker:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = u.Unwrap()
		default:
			return false
		}
	}
}
