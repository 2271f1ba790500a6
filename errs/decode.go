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

	"github.com/rowkeeper/rowkeeper/internal/strictjson"
)

// Limits of DecodeJSON.
const (
	MaxBody  = 64 << 10            // bytes, unless MaxBytes says otherwise
	MaxDepth = strictjson.MaxDepth // 32 objects and arrays in each other
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
// says what is wrong and, where parts of the body are at fault, by JSON Pointers
// which. It names all of them, up to 100, each with its code and what was expected;
// the code of the whole is theirs, or if they differ that of its kind. Through w
// the client learns by headers what would be taken, and the server that a body was
// too large; it may be nil.
//
//   - 413 too_large: a body over [MaxBody] bytes, or the limit of [MaxBytes];
//     RFC 9110 lets the server end the connection then, and net/http does;
//   - 415 unsupported_media_type: a Content-Type that is not application/json or
//     …+json in UTF-8 (none at all is taken), or a Content-Encoding;
//   - 400 empty_body, unreadable_body, malformed_json and trailing_data, which say
//     at which byte, too_deep (beyond [MaxDepth]), duplicate_field,
//     invalid_characters: no UTF-8, half of a surrogate pair (which encoding/json
//     would replace), or a NUL, which PostgreSQL cannot store; also if only one of
//     several faults is among these;
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
	t := reflect.TypeFor[T]()
	if faults := strictjson.Check(body, t); faults != nil {
		return zero, refused(faults)
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return zero, refuse(Invalid, strictjson.WrongType, strictjson.WrongTypeText, "", strictjson.Undecoded(t, err))
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

// refused is what a client is told of the faults of a body: of one, as the whole
// error; of several, by fields.
func refused(faults []strictjson.Fault) error {
	k, code := Invalid, faults[0].Code
	var fields []FieldError
	var causes []error
	for i := range faults {
		f := &faults[i]
		if f.Syntactic() {
			k = Malformed
		}
		if f.Code != code {
			code = ""
		}
		if f.Pointer != "" {
			fields = append(fields, FieldError{Pointer: f.Pointer, Code: f.Code, Detail: f.Detail})
		}
		causes = append(causes, f.Cause)
	}
	if len(faults) == 1 || len(fields) == 0 {
		f := &faults[0]
		return refuse(k, f.Code, f.Detail, f.Pointer, f.Cause)
	}
	opts := []Option{Fields(fields...), Cause(errors.Join(causes...))}
	if code != "" {
		opts = append(opts, Code(code))
	}
	return New(k, opts...)
}

// refuse names the part of the body at fault, unless it is the whole of it.
func refuse(k Kind, code, message, at string, cause error) error {
	opts := []Option{Code(code), Message(message), Cause(cause)}
	if at != "" {
		opts = append(opts, Field(at))
	}
	return New(k, opts...)
}
