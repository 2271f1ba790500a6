package idempotency

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// Response is the answer to a request and to each repetition of it. It is stored in the
// transaction of the request, so it is a success or a refusal that the function
// commits; an error is not stored.
type Response struct {
	Status int         // from 200 to 599
	Header http.Header // sent with a replay too
	Body   []byte      // at most about 190 kB, as it is stored as base64 in a result of 256 KiB
}

// ReplayedHeader is the name of the header field, with the value true, that marks a
// response produced by an earlier request with the key.
const ReplayedHeader = "Idempotent-Replayed"

// JSON returns a response with v encoded as its body.
func JSON(status int, v any) (Response, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return Response{}, fmt.Errorf("idempotency: the response cannot be encoded: %w", err)
	}
	return Response{
		Status: status,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   append(body, '\n'),
	}, nil
}

func (r Response) check() error {
	switch {
	case r.Status < 200 || r.Status > 599:
		return fmt.Errorf("idempotency: %d is no status of a response", r.Status)
	case len(r.Body) > 0 && (r.Status == http.StatusNoContent || r.Status == http.StatusNotModified):
		return fmt.Errorf("idempotency: a response of status %d has no body", r.Status)
	}
	return nil
}

// write sends the response. A client that has gone is not an error, as the request has
// been carried out.
func (r Response) write(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range r.Header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	if r.Status != http.StatusNoContent && r.Status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(r.Body)))
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body)
}
