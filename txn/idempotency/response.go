package idempotency

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// Response is what a client is answered, the first time and each time after that.
// It is stored in the same transaction as what the request did, so it is one of
// success, or a refusal that the function commits; an error is not stored.
type Response struct {
	Status int         // from 200 to 599
	Header http.Header // what is to come back in a replay too
	Body   []byte      // may take some 190 kB: it is stored as base64 in txn.MostResult
}

// ReplayedHeader is the name of the header field, with the value true, that marks an
// answer to an earlier request with the key.
const ReplayedHeader = "Idempotent-Replayed"

// JSON is the response that has v as its body.
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

// write sends the response. That the client has gone by then is no error of the
// request, which is carried out.
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
