package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"unicode/utf16"
)

func (k *walker) space() {
	for k.pos < len(k.json) {
		switch k.json[k.pos] {
		case ' ', '\t', '\r', '\n':
			k.pos++
		default:
			return
		}
	}
}

// next moves behind a comma, if there is one.
func (k *walker) next() {
	if k.space(); k.json[k.pos] == ',' {
		k.pos++
	}
}

// literal moves behind a number, true, false or null.
func (k *walker) literal() {
	for k.pos < len(k.json) {
		switch k.json[k.pos] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return
		}
		k.pos++
	}
}

// name moves behind a string, and refuses one that cannot be stored or would not be
// the text that the client sent. The result may be a part of the body.
func (k *walker) name(at *place) (content []byte, ok bool) {
	start := k.pos
	escapes := false
	for k.pos++; k.json[k.pos] != '"'; k.pos++ {
		if k.json[k.pos] == '\\' {
			escapes = true
			k.pos++
		}
	}
	k.pos++
	raw := k.json[start:k.pos]
	if !escapes {
		return raw[1 : len(raw)-1], true
	}
	if !storable(raw) {
		k.fault(at, InvalidCharacters, "The text contains characters that cannot be stored.", nil)
		return raw, false
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		k.fault(at, InvalidCharacters, "The text contains characters that cannot be stored.", Undecoded(reflect.TypeFor[string](), err))
		return raw, false
	}
	return []byte(s), true
}

// storable reports whether the escapes of a string contain neither NUL nor half of
// a surrogate pair.
func storable(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		c := escaped(raw[i+1:])
		i += 4
		switch {
		case c == 0:
			return false
		case !utf16.IsSurrogate(c):
		case !bytes.HasPrefix(raw[i+1:], []byte(`\u`)), utf16.DecodeRune(c, escaped(raw[i+3:])) == '\uFFFD':
			return false
		default:
			i += 6
		}
	}
	return true
}

// escaped reads the four digits of a \u.
func escaped(digits []byte) rune {
	n, _ := strconv.ParseUint(string(digits[:4]), 16, 16)
	return rune(n)
}

// mapKey converts a name to the key of a map, as encoding/json does.
func mapKey(t reflect.Type, name string) (any, error) {
	object, err := json.Marshal(map[string]any{name: nil})
	if err != nil {
		return nil, err
	}
	m := reflect.New(reflect.MapOf(t, anyType))
	if err := json.Unmarshal(object, m.Interface()); err != nil {
		return nil, err
	}
	keys := m.Elem().MapKeys()
	if len(keys) != 1 {
		return nil, errors.New("no key of this type")
	}
	return keys[0].Interface(), nil
}
