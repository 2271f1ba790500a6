package idempotency

import (
	"net/http"
	"strings"

	"github.com/rowkeeper/rowkeeper/internal/kind"
)

// Header is the name of the field that has the key.
const Header = "Idempotency-Key"

const longestKey = 255 // in bytes

// KeyError says that a request has no key, or none that can be read. To an HTTP
// client it is a 400, by its Kind.
type KeyError struct{ reason string }

func (e *KeyError) Error() string { return "idempotency: " + Header + " " + e.reason }

// Kind is errs.Malformed.
func (e *KeyError) Kind() kind.Kind { return kind.Malformed }

// Key reads the key of a request: a string in the sense of structured fields (RFC
// 9651), so in double quotes, of 1 to 255 characters, without parameters. Where
// the field is missing, there is no key and no error.
func Key(h http.Header) (key string, err error) {
	switch fields := h.Values(Header); len(fields) {
	case 0:
		return "", nil
	case 1:
		return parseString(strings.Trim(fields[0], " "))
	}
	return "", &KeyError{"is there more than once"}
}

func parseString(text string) (string, error) {
	rest, quoted := strings.CutPrefix(text, `"`)
	if !quoted {
		return "", &KeyError{"is not a string in double quotes"}
	}
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
			return "", &KeyError{"is longer than 255 characters"}
		}
		b.WriteByte(c)
	}
	return "", &KeyError{"is not closed by a double quote"}
}
