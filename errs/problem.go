package errs

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// ProblemContentType is the media type of error bodies (RFC 9457).
const ProblemContentType = "application/problem+json"

// problem is a problem details object. Its type is about:blank, for which RFC
// 9457 wants the title to be the status' own; code is what to tell problems
// apart by.
type problem struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail"`
	Code   string         `json:"code"`
	Errors []problemField `json:"errors,omitempty"`
}

type problemField struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// MarshalJSON gives the problem details object of RFC 9457 that a client gets:
// type, title, status, detail, code, and where a field is at fault errors, with
// pointer, code and detail.
func (e *Error) MarshalJSON() ([]byte, error) {
	p := problem{
		Type:   "about:blank",
		Title:  title(e.Status()),
		Status: e.Status(),
		Detail: e.Error(),
		Code:   e.Code(),
	}
	if e.field != "" {
		p.Errors = []problemField{{Pointer: e.field, Code: p.Code, Detail: p.Detail}}
	}
	return json.Marshal(p)
}

func title(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	return "Error"
}

// send writes the response for e.
func (e *Error) send(w http.ResponseWriter) error {
	body, err := e.MarshalJSON()
	if err != nil {
		return err
	}
	h := w.Header()
	// What the handler set for the body that it did not write.
	for _, name := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified", "Cache-Control"} {
		h.Del(name)
	}
	h.Set("Content-Type", ProblemContentType)
	h.Set("X-Content-Type-Options", "nosniff")
	if after := e.RetryAfter(); after > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((after+time.Second-1)/time.Second), 10))
	}
	w.WriteHeader(e.Status())
	_, err = w.Write(append(body, '\n'))
	return err
}
