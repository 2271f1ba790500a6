package core

import (
	"encoding/hex"
	"reflect"
	"strconv"
	"strings"

	"github.com/rowkeeper/rowkeeper/owner/internal/identifier"
)

// SettingText returns arg in the input format of its column's type. Arrays of bytes
// are UUIDs, which can be written in hex.
func SettingText(arg any) (string, bool) {
	v := reflect.ValueOf(arg)
	switch {
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), true
	case v.Kind() == reflect.String:
		return v.String(), !strings.ContainsRune(v.String(), 0)
	case v.Kind() == reflect.Array && v.Len() == 16:
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		return hex.EncodeToString(b), true
	}
	return "", false // the meaning of a Valuer's []byte depends on the column
}

// SettingNames returns the parameters for owners of these types. A user within a
// tenant has another parameter than the same user alone.
func SettingNames(types []reflect.Type) []string {
	out := make([]string, len(types))
	for i, t := range types {
		name := word(t)
		if i > 0 {
			name += "_of_" + word(types[0])
		}
		out[i] = "rowkeeper." + identifier.Shorten(name)
	}
	return out
}

func word(t reflect.Type) string {
	name := t.String()
	if named, ok := reflect.Zero(t).Interface().(interface{ SettingName() string }); ok {
		if given := named.SettingName(); given != "" {
			name = given
		}
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, name)
}
