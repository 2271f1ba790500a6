package errs

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
)

const (
	requestIDHeader = "X-Request-Id"
	requestIDMax    = 64
	requestIDChars  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
)

// RequestID returns the id of the request with this context, or "" outside of
// [Catalog.Handler] and [Catalog.Middleware]. The id is in the response header
// X-Request-Id, in the body of an error, and in the log.
//
// It is taken from the request header X-Request-Id if that is a single value of up to
// 64 letters, digits, "-", "_" and ".", and otherwise made of random bytes. A client
// can choose it: use it to find log lines, and not as proof of anything.
func RequestID(ctx context.Context) string {
	if x := responseOf(ctx); x != nil {
		return x.id
	}
	return ""
}

func requestID(r *http.Request) string {
	if id := RequestID(r.Context()); id != "" {
		return id
	}
	if ids := r.Header.Values(requestIDHeader); len(ids) == 1 && wellFormed(ids[0]) {
		return ids[0]
	}
	return rand.Text()
}

func wellFormed(id string) bool {
	return id != "" && len(id) <= requestIDMax && strings.Trim(id, requestIDChars) == ""
}
