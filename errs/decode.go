package errs

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
	"unicode/utf8"
)

// Limits of DecodeJSON.
const (
	MaxBody  = 64 << 10 // bytes, unless MaxBytes says otherwise
	MaxDepth = 32       // objects and arrays in each other
)

// DecodeOption changes how [DecodeJSON] reads.
type DecodeOption func(*decodeOptions) error

type decodeOptions struct{ maxBytes int64 }

// MaxBytes sets how large a body may be, instead of [MaxBody]. Where an
// [http.MaxBytesReader] is around the body already, the smaller limit holds.
func MaxBytes(n int64) DecodeOption {
	return func(o *decodeOptions) error {
		o.maxBytes = n
		if n <= 0 {
			return fmt.Errorf("errs.MaxBytes(%d): the limit is not positive", n)
		}
		return nil
	}
}

// DecodeJSON reads the body of a request into a T, strictly. What it accepts,
// encoding/json accepts with the same value. Each refusal is an [*Error] that
// says what is wrong and, where a part of the body is at fault, by a JSON Pointer
// which:
//
//   - 413 too_large: a body over [MaxBody] bytes, or the limit of [MaxBytes];
//     RFC 9110 lets the server end the connection then, and net/http does;
//   - 415 unsupported_media_type: a Content-Type that is not application/json or
//     …+json in UTF-8 (none at all is taken), or a Content-Encoding;
//   - 400 empty_body, unreadable_body, malformed_json, trailing_data, too_deep
//     (beyond [MaxDepth]), duplicate_field, invalid_characters: no UTF-8, half of
//     a surrogate pair (which encoding/json would replace), or a NUL, which
//     PostgreSQL cannot store;
//   - 422 unknown_field (also one that differs in case), wrong_type: also a
//     number that is out of range, an array of another length, and null for what
//     is not a pointer, an interface, a [json.RawMessage], or a type such as
//     uuid.NullUUID that decodes itself and whose zero value is NULL to a database.
//
// w is the handler's http.ResponseWriter: the server is told by it to end a connection
// whose body was too large, and the client by headers what would be taken. It may be
// nil, where there is none.
//
// That a field is missing is not seen: it keeps its zero value. Make it a
// pointer to tell, or use a validator: [Catalog.Translate] knows the errors of
// go-playground/validator. An option that makes no sense is an Internal error.
func DecodeJSON[T any](w http.ResponseWriter, r *http.Request, opts ...DecodeOption) (T, error) {
	var v, zero T
	body, err := readBody(w, r, opts)
	if err != nil {
		return zero, err
	}
	if err := checkJSON(body, reflect.TypeFor[T]()); err != nil {
		return zero, err
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return zero, refuse(Invalid, "wrong_type", wrongTypeText, "", &undecoded{reflect.TypeFor[T](), err})
	}
	return v, nil
}

func readBody(w http.ResponseWriter, r *http.Request, opts []DecodeOption) ([]byte, error) {
	o := decodeOptions{maxBytes: MaxBody}
	for _, opt := range opts {
		if opt == nil {
			return nil, New(Internal, Cause(errors.New("errs.DecodeJSON: an option is nil")))
		}
		if err := opt(&o); err != nil {
			return nil, New(Internal, Cause(err))
		}
	}
	if err := checkMediaType(w, r.Header); err != nil {
		return nil, err
	}
	if r.ContentLength > o.maxBytes { // without asking for it, if the client waits to be asked
		return nil, New(TooLarge, Cause(&http.MaxBytesError{Limit: o.maxBytes}))
	}
	var body []byte
	if r.Body != nil {
		var err error
		// MaxBytesReader tells net/http's own writer that the limit was hit.
		body, err = io.ReadAll(http.MaxBytesReader(innermost(w), r.Body, o.maxBytes))
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			return nil, New(TooLarge, Cause(err))
		case err != nil:
			return nil, refuse(Malformed, "unreadable_body", "The request could not be read.", "", err)
		}
	}
	if len(bytes.Trim(body, " \t\r\n")) == 0 {
		return nil, refuse(Malformed, "empty_body", "The request has no body.", "", nil)
	}
	return body, nil
}

// checkMediaType says by headers what would be taken, as RFC 9110 asks for.
func checkMediaType(w http.ResponseWriter, h http.Header) error {
	for _, coding := range h.Values("Content-Encoding") {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			if w != nil {
				w.Header().Set("Accept-Encoding", "identity")
			}
			return New(UnsupportedMediaType)
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
		return New(UnsupportedMediaType, Cause(err))
	}
	return nil
}

// isUTF8 also takes the name that is no registered one, but sent by many.
func isUTF8(charset string) bool {
	return strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = u.Unwrap()
	}
}

// checkJSON refuses what encoding/json would not decode into t, or would let
// pass.
func checkJSON(body []byte, t reflect.Type) error {
	if !utf8.Valid(body) {
		return refuse(Malformed, "invalid_characters", "The request is not valid UTF-8.", "", nil)
	}
	var whole json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&whole); err != nil {
		if deeperThan(body, MaxDepth) { // encoding/json has a limit too
			return tooDeep("", err)
		}
		return refuse(Malformed, "malformed_json", "The request is not valid JSON.", "", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return refuse(Malformed, "trailing_data", "There is something behind the JSON value.", "", nil)
	}
	return (&walker{json: whole}).value(t, nil, 0)
}

// deeperThan reports whether there are more than n objects and arrays in each
// other.
func deeperThan(body []byte, n int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case quoted:
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			depth--
		}
		if depth > n {
			return true
		}
	}
	return false
}

const wrongTypeText = "This value is of the wrong type."

func tooDeep(at string, cause error) error {
	return refuse(Malformed, "too_deep", "The request is nested too deeply.", at, cause)
}

// refuse names the part of the body at fault, unless it is the whole of it.
func refuse(k Kind, code, message, at string, cause error) error {
	opts := []Option{Code(code), Message(message), Cause(cause)}
	if at != "" {
		opts = append(opts, Field(at))
	}
	return New(k, opts...)
}
