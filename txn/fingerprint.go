package txn

import (
	"hash/maphash"
	"math"
	"reflect"
	"time"
)

// fingerprint stands for a statement with its arguments, or for what Key was
// given. Two transactions that begin with the same one probably want the same
// rows. Zero is none.
type fingerprint uint64

var fingerprintSeed = maphash.MakeSeed()

// fingerprintOf hashes a statement. It is none where an argument has no value to
// go by, such as a map or a channel.
func fingerprintOf(sql string, args []any) fingerprint {
	var h hasher
	h.SetSeed(fingerprintSeed)
	h.text('q', sql)
	for _, arg := range args {
		if !h.value(arg) {
			return 0
		}
	}
	return h.sum()
}

// keyOf hashes what Key was given.
func keyOf(parts []any) fingerprint {
	var h hasher
	h.SetSeed(fingerprintSeed)
	h.WriteByte('k')
	for _, p := range parts {
		if !h.value(p) {
			return 0
		}
	}
	return h.sum()
}

// hasher writes values with their kinds and lengths, so that ("ab", "c") is not
// ("a", "bc"), and 1 is not "1".
type hasher struct{ maphash.Hash }

func (h *hasher) sum() fingerprint { return max(fingerprint(h.Sum64()), 1) }

func (h *hasher) text(kind byte, s string) {
	h.number(kind, uint64(len(s)))
	h.WriteString(s)
}

func (h *hasher) number(kind byte, n uint64) {
	h.Write([]byte{kind, byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24), byte(n >> 32), byte(n >> 40), byte(n >> 48), byte(n >> 56)})
}

// value reports whether v could be hashed by what it is.
func (h *hasher) value(v any) bool {
	switch v := v.(type) {
	case nil:
		h.WriteByte('0')
	case string:
		h.text('s', v)
	case []byte:
		h.number('b', uint64(len(v)))
		h.Write(v)
	case int:
		h.number('i', uint64(v))
	case int64:
		h.number('i', uint64(v))
	case int32:
		h.number('i', uint64(v))
	case bool:
		h.number('t', uint64(btoi(v)))
	case time.Time:
		h.number('d', uint64(v.Unix()))
		h.number('d', uint64(v.Nanosecond()))
	default:
		return h.reflected(reflect.ValueOf(v), 0)
	}
	return true
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// deepest is how far pointers and fields are followed, which ends a cycle too.
const deepest = 8

func (h *hasher) reflected(v reflect.Value, depth int) bool {
	if depth > deepest {
		return false
	}
	if v.IsValid() && v.Type() == reflect.TypeFor[time.Time]() && v.CanInterface() {
		return h.value(v.Interface())
	}
	switch v.Kind() {
	case reflect.Bool:
		h.number('t', uint64(btoi(v.Bool())))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		h.number('i', uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		h.number('i', v.Uint())
	case reflect.Float32, reflect.Float64:
		h.number('f', math.Float64bits(v.Float()))
	case reflect.String:
		h.text('s', v.String())
	case reflect.Slice, reflect.Array:
		h.number('a', uint64(v.Len()))
		for i := range v.Len() {
			if !h.reflected(v.Index(i), depth+1) {
				return false
			}
		}
	case reflect.Struct:
		h.number('r', uint64(v.NumField()))
		for i := range v.NumField() {
			if !h.reflected(v.Field(i), depth+1) {
				return false
			}
		}
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			h.WriteByte('0')
			return true
		}
		return h.reflected(v.Elem(), depth+1)
	default:
		return false
	}
	return true
}
