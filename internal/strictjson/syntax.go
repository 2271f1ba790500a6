package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// syntax returns the fault that makes a body no JSON value, or nil.
func syntax(body []byte) *Fault {
	if !utf8.Valid(body) {
		return &Fault{Code: InvalidCharacters, Detail: "The request is not valid UTF-8."}
	}
	if json.Valid(body) {
		return nil
	}
	if deeperThan(body, MaxDepth) { // encoding/json has a limit too
		return &Fault{Code: TooDeep, Detail: tooDeepText}
	}
	var whole json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&whole); err != nil {
		at := int64(len(body))
		var wrong *json.SyntaxError
		if errors.As(err, &wrong) && !errors.Is(err, io.ErrUnexpectedEOF) {
			at = min(wrong.Offset, at)
		}
		return &Fault{Code: Malformed, Detail: fmt.Sprintf("The request is not valid JSON: it goes wrong at byte %d.", at), Cause: err}
	}
	return &Fault{Code: TrailingData, Detail: fmt.Sprintf("There is something behind the JSON value, which ends at byte %d.", dec.InputOffset())}
}

// deeperThan reports whether objects and arrays are nested more than n deep.
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
