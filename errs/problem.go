package errs

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// problemContentType is the media type of error bodies (RFC 9457).
const problemContentType = "application/problem+json"

// problem is a problem details object. Its type is about:blank, for which RFC 9457
// requires the title of the status; clients distinguish problems by code.
type problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail"`
	Code      string         `json:"code"`
	Errors    []problemField `json:"errors,omitempty"`
	RequestID string         `json:"request_id,omitempty"`
}

type problemField struct {
	Pointer   string `json:"pointer,omitempty"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	Parameter string `json:"parameter,omitempty"`
	Header    string `json:"header,omitempty"`
}

func (e *Error) problem() problem {
	p := problem{
		Type:   "about:blank",
		Title:  title(e.Status()),
		Status: e.Status(),
		Detail: e.Error(),
		Code:   e.Code(),
	}
	for _, f := range e.Fields() {
		p.Errors = append(p.Errors, problemField(f))
	}
	return p
}

// MarshalJSON returns the problem details object (RFC 9457) for clients: type, title,
// status, detail, code and, if fields are at fault, errors, with pointer (or
// parameter, or header), code and detail of each.
func (e *Error) MarshalJSON() ([]byte, error) { return json.Marshal(e.problem()) }

func title(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	return "Error"
}

// unwritten are the headers that describe a body or a result that was not written.
var unwritten = []string{
	"Accept-Ranges", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Location",
	"Content-Range", "Etag", "Expires", "Last-Modified", "Location", "Trailer",
}

// standing returns those of the unwritten headers that are set before the handler
// runs, and so are not the handler's. The length of the body is never known before
// it.
func standing(h http.Header) http.Header {
	var found http.Header
	for _, name := range unwritten {
		if values, ok := h[name]; ok && name != "Content-Length" {
			if found == nil {
				found = http.Header{}
			}
			found[name] = values
		}
	}
	return found
}

// encodedBy returns the Content-Encoding of a writer that is not the server's own:
// that of a middleware which encodes the body.
func encodedBy(w http.ResponseWriter) http.Header {
	if values, ok := w.Header()["Content-Encoding"]; ok && !strings.HasPrefix(packageOf(w), "net/http") {
		return http.Header{"Content-Encoding": values}
	}
	return nil
}

// send writes the response for e.
func (e *Error) send(w http.ResponseWriter, r *http.Request, x *response) error {
	p := e.problem()
	p.RequestID = x.id
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	contentType := problemContentType
	if !acceptsJSON(r.Header) {
		body, contentType = []byte(p.Detail), "text/plain; charset=utf-8"
	}
	body = append(body, '\n')

	h := w.Header()
	for _, name := range unwritten {
		h.Del(name)
	}
	maps.Copy(h, x.before)
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set(requestIDHeader, x.id)
	h.Del("Retry-After") // the error decides
	for name, values := range e.GetHeaders() {
		if h.Get(name) == "" { // the handler may know a better challenge
			h[name] = values
		}
	}
	if r.Method == http.MethodHead {
		if h.Get("Content-Encoding") == "" {
			h.Set("Content-Length", strconv.Itoa(len(body)))
		}
		w.WriteHeader(p.Status)
		return nil
	}
	w.WriteHeader(p.Status)
	_, err = w.Write(body)
	return err
}
