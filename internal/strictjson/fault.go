// Package strictjson checks JSON that a client sent against the Go type that it
// is for: it finds what encoding/json would refuse, and what it would let pass or
// drop silently.
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

// A Fault is what is wrong with one part of a document.
type Fault struct {
	Pointer string // a JSON Pointer, or "" for the whole
	Code    string
	Detail  string // nothing of it is the client's
	Cause   error  // or nil; nothing of its text is the client's
}

// Syntactic reports whether the document can mean nothing, or two things.
func (f *Fault) Syntactic() bool { return f.Code != Unknown && f.Code != WrongType }

// MaxFaults is how many faults are looked for.
const MaxFaults = 100

// MaxDepth is how many objects and arrays may be in each other.
const MaxDepth = 32

// WrongTypeText is the detail of a wrong type of which nobody can say what it
// should be.
const WrongTypeText = "This value is of the wrong type."

// undecoded keeps the client's value, which encoding/json's error may hold, out
// of logs.
type undecoded struct {
	into  reflect.Type
	cause error
}

func (u *undecoded) Error() string { return "value does not decode into " + u.into.String() }
func (u *undecoded) Unwrap() error { return u.cause }

// Undecoded is the cause of a value that does not become a t, without the value.
func Undecoded(t reflect.Type, cause error) error { return &undecoded{t, cause} }
