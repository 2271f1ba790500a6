package ledger

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanJSON counts the members of all objects in valid JSON. It reports false if an
// escape is half of a surrogate pair, which encoding/json replaces.
func scanJSON(encoded []byte) (members int, ok bool) {
	inString := false
	for i := 0; i < len(encoded); i++ {
		switch c := encoded[i]; {
		case c == '"':
			inString = !inString
		case c == ':' && !inString:
			members++
		case c == '\\' && encoded[i+1] != 'u':
			i++
		case c == '\\':
			r := escaped(encoded[i:])
			i += len(`u0000`)
			if !utf16.IsSurrogate(r) {
				continue
			}
			rest := encoded[i+1:]
			if !bytes.HasPrefix(rest, []byte(`\u`)) || utf16.DecodeRune(r, escaped(rest)) == utf8.RuneError {
				return 0, false
			}
			i += len(`\u0000`)
		}
	}
	return members, true
}

// escaped returns the value of a valid escape such as \u0000.
func escaped(text []byte) rune {
	r, _ := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(r)
}

// membersOf counts the members of all objects in decoded JSON.
func membersOf(decoded any) (n int) {
	switch v := decoded.(type) {
	case map[string]any:
		n = len(v)
		for _, member := range v {
			n += membersOf(member)
		}
	case []any:
		for _, element := range v {
			n += membersOf(element)
		}
	}
	return n
}
