package brokenbank

import (
	"bytes"
	"net/http"
	"sync/atomic"
)

// Trapped wraps a bank so that it does something right that looks wrong.
func Trapped(h http.Handler, trap Trap) http.Handler {
	switch trap {
	case ErrorIn200:
		return errorIn200(h)
	case Honest503:
		return honest503(h)
	}
	return h
}

// held keeps a response until its status is known.
type held struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *held) WriteHeader(status int) { h.status = status }

func (h *held) Write(p []byte) (int, error) { return h.body.Write(p) }

// errorIn200 answers refusals as some services do: 200, and an error in the body. Only
// authentication has a status.
func errorIn200(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := &held{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(h, r)
		if h.status/100 == 4 && h.status != http.StatusUnauthorized {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Del("Content-Length")
			_, _ = w.Write([]byte(`{"error": "refused"}`)) // the client has gone if this fails
			return
		}
		w.WriteHeader(h.status)
		_, _ = w.Write(h.body.Bytes())
	})
}

// honest503 does not take more than a few requests at a time, nor every one of those
// that come alone, and says when to come back.
func honest503(next http.Handler) http.Handler {
	var running, seen atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer running.Add(-1)
		if running.Add(1) > 6 || seen.Add(1)%40 == 0 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}
