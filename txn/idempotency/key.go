package idempotency

import (
	"net/http"
	"strings"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// Header is the name of the header field that holds the key.
const Header = "Idempotency-Key"

const longestKey = 255 // in bytes

// KeyError reports that a request has no key or an invalid one. It maps to HTTP 400 by
// its Kind; the problem details name the header and the reason.
type KeyError struct{ reason string }

func (e *KeyError) Error() string { return "idempotency: " + Header + " " + e.reason }

// Kind returns errs.Malformed.
func (e *KeyError) Kind() kind.Kind { return kind.Malformed }

// Fields names the header, with the code missing_idempotency_key or
// invalid_idempotency_key, for package errs.
func (e *KeyError) Fields() []kind.FieldError {
	code := "invalid_idempotency_key"
	if e.reason == reasonMissing {
		code = "missing_idempotency_key"
	}
	return []kind.FieldError{{Header: Header, Code: code, Detail: "The header " + Header + " " + e.reason + "."}}
}

const reasonMissing = "is missing"

// Key returns the key of a request, 1 to 255 characters. It is a string of structured
// fields (RFC 9651): in double quotes, without parameters. As most clients omit the
// quotes, Key also accepts the same key without them; it must then be printable ASCII
// without spaces, commas, semicolons, quotes and backslashes. If the field is missing,
// key is empty and err is nil.
func Key(h http.Header) (key string, err error) {
	switch fields := h.Values(Header); len(fields) {
	case 0:
		return "", nil
	case 1:
		text := strings.Trim(fields[0], " ")
		if strings.HasPrefix(text, `"`) {
			return parseString(text[1:])
		}
		return parseBare(text)
	}
	return "", &KeyError{"is there more than once"}
}

func parseBare(text string) (string, error) {
	switch {
	case text == "":
		return "", &KeyError{"is empty"}
	case len(text) > longestKey:
		return "", errTooLong
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c > '~' || strings.IndexByte(`",;\\`, c) >= 0 {
			return "", &KeyError{"is neither a string in double quotes nor one word"}
		}
	}
	return text, nil
}

var errTooLong = &KeyError{"is longer than 255 characters"}

// parseString parses the text after the opening double quote.
func parseString(rest string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		c := rest[i]
		switch {
		case c == '"' && i != len(rest)-1:
			return "", &KeyError{"has something behind its string"}
		case c == '"' && b.Len() == 0:
			return "", &KeyError{"is empty"}
		case c == '"':
			return b.String(), nil
		case c == '\\':
			if i++; i == len(rest) || rest[i] != '"' && rest[i] != '\\' {
				return "", &KeyError{"has a backslash before something else than a quote or a backslash"}
			}
			c = rest[i]
		case c < ' ' || c > '~':
			return "", &KeyError{"has a character that is not printable ASCII"}
		}
		if b.Len() == longestKey {
			return "", errTooLong
		}
		b.WriteByte(c)
	}
	return "", &KeyError{"is not closed by a double quote"}
}
