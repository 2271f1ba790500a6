package jsonbody

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/strictjson"
)

// Limits of [Decode].
const (
	DefaultMaxBytes = 64 << 10            // of a body, unless MaxBytes sets another limit
	MaxDepth        = strictjson.MaxDepth // 32 objects and arrays within each other
)

// Option configures [Decode].
type Option interface {
	apply(*options) error
}

type options struct{ maxBytes int64 }

type maxBytes int64

func (n maxBytes) apply(o *options) error {
	if n <= 0 {
		return fmt.Errorf("MaxBytes(%d): the limit is not positive", n)
	}
	o.maxBytes = int64(n)
	return nil
}

// MaxBytes sets the largest size of a body, in bytes, instead of [DefaultMaxBytes]. If an
// [http.MaxBytesReader] is around the body already, the smaller limit holds.
func MaxBytes(n int64) Option { return maxBytes(n) }

// Decode reads the body of a request into a T. It accepts a subset of what encoding/json
// accepts, with the same value. It reports every refusal as an [*Error], with the JSON
// Pointers of all parts of the body that are at fault, up to 100, and for each a code and
// what was expected. The code of the whole is theirs, or if they differ, that of its kind.
//
//   - 413 too_large: the body has more than [DefaultMaxBytes] bytes, or than [MaxBytes].
//     net/http ends the connection then, as RFC 9110 allows.
//   - 415 unsupported_media_type: the Content-Type is not application/json or …+json in
//     UTF-8 (none at all is accepted), or there is a Content-Encoding.
//   - 400 empty_body, unreadable_body, malformed_json and trailing_data, which say at
//     which byte, too_deep (beyond [MaxDepth]), duplicate_field, and invalid_characters:
//     no UTF-8, half of a surrogate pair (which encoding/json would replace), or a NUL,
//     which PostgreSQL cannot store. One of these among several faults makes it 400 too.
//   - 422 unknown_field, also for one that differs in case, and wrong_type, also for a
//     number that is out of range, an array of another length, and null. Null is accepted
//     for a pointer, an interface, a [json.RawMessage], and a type that decodes itself and
//     whose zero value is NULL to a database, such as uuid.NullUUID.
//
// By w the server learns to end the connection of a body that was too large, and the
// client learns by headers what would be accepted. It may be nil. An option that is nil
// or makes no sense is an Internal error.
func Decode[T any](w http.ResponseWriter, r *http.Request, opts ...Option) (T, error) {
	var v, zero T
	body, err := readBody(w, r, opts)
	if err != nil {
		return zero, err
	}
	t := reflect.TypeFor[T]()
	if faults := strictjson.Check(body, t); faults != nil {
		return zero, refused(faults)
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return zero, refuse(kind.Invalid, strictjson.WrongType, strictjson.WrongTypeText, "", strictjson.Undecoded(t, err))
	}
	return v, nil
}

func readBody(w http.ResponseWriter, r *http.Request, opts []Option) ([]byte, error) {
	o := options{maxBytes: DefaultMaxBytes}
	for _, opt := range opts {
		if opt == nil {
			return nil, &Error{kind: kind.Internal, cause: errors.New("an option is nil")}
		}
		if err := opt.apply(&o); err != nil {
			return nil, &Error{kind: kind.Internal, cause: err}
		}
	}
	if err := checkMediaType(w, r.Header); err != nil {
		return nil, err
	}
	if r.ContentLength > o.maxBytes { // a client that waits for 100 Continue sends nothing then
		return nil, &Error{kind: kind.TooLarge, cause: &http.MaxBytesError{Limit: o.maxBytes}}
	}
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(http.MaxBytesReader(innermost(w), r.Body, o.maxBytes))
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			return nil, &Error{kind: kind.TooLarge, cause: err}
		case err != nil:
			return nil, refuse(kind.Malformed, "unreadable_body", "The request could not be read.", "", err)
		}
	}
	if len(bytes.Trim(body, " \t\r\n")) == 0 {
		return nil, refuse(kind.Malformed, "empty_body", "The request has no body.", "", nil)
	}
	return body, nil
}

// checkMediaType sets headers that say what would be accepted, as RFC 9110 asks for.
func checkMediaType(w http.ResponseWriter, h http.Header) error {
	for _, coding := range h.Values("Content-Encoding") {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			if w != nil {
				w.Header().Set("Accept-Encoding", "identity")
			}
			return &Error{kind: kind.UnsupportedMediaType}
		}
	}
	types := h.Values("Content-Type")
	if len(types) == 0 {
		return nil
	}
	mediaType, params, err := mime.ParseMediaType(types[0])
	charset, ok := params["charset"]
	if len(types) > 1 || err != nil || !isJSON(mediaType) || ok && !isUTF8(charset) {
		if w != nil {
			w.Header().Set("Accept", "application/json")
		}
		return &Error{kind: kind.UnsupportedMediaType, cause: err}
	}
	return nil
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

// isUTF8 accepts utf8 too, which is not registered but sent by many clients.
func isUTF8(charset string) bool {
	return strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

// innermost returns the server's own writer, which http.MaxBytesReader tells that the
// limit was hit.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = u.Unwrap()
	}
}
