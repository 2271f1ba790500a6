// Package strictjson checks a client's JSON against the Go type that it is decoded
// into. It finds everything that encoding/json would refuse, accept wrongly or drop
// silently.
package strictjson

import "reflect"

// The codes of a [Fault].
const (
	Malformed         = "malformed_json"
	TrailingData      = "trailing_data"
	InvalidCharacters = "invalid_characters" // no UTF-8, half of a surrogate pair, or a NUL
	TooDeep           = "too_deep"
	Duplicate         = "duplicate_field"
	Unknown           = "unknown_field"
	WrongType         = "wrong_type"
)

// A Fault is an error in one part of a document.
type Fault struct {
	Pointer string // a JSON Pointer, or "" for the whole
	Code    string
	Detail  string // has no part of the client's text
	Cause   error  // or nil; its text has no part of the client's
}

// Syntactic reports whether the document has no meaning, or two.
func (f *Fault) Syntactic() bool { return f.Code != Unknown && f.Code != WrongType }

// MaxFaults is the number of faults after which a check stops.
const MaxFaults = 100

// MaxDepth is the greatest depth of nested objects and arrays.
const MaxDepth = 32

// WrongTypeText is the detail of a wrong type if the expected one cannot be named.
const WrongTypeText = "This value is of the wrong type."

// undecoded keeps the client's value, which encoding/json's error may hold, out of
// logs.
type undecoded struct {
	into  reflect.Type
	cause error
}

func (u *undecoded) Error() string { return "value does not decode into " + u.into.String() }
func (u *undecoded) Unwrap() error { return u.cause }

// Undecoded returns the cause of a value that does not decode into a t, without the
// value.
func Undecoded(t reflect.Type, cause error) error { return &undecoded{t, cause} }
