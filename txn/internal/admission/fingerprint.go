package admission

import (
	"database/sql/driver"
	"hash/maphash"
	"math"
	"reflect"
	"time"
)

// A Fingerprint stands for a statement with its arguments, or for the parts of a named key.
// Transactions that begin with the same one probably contend for the same rows. Zero
// means none.
type Fingerprint uint64

var seed = maphash.MakeSeed()

// OfStatement hashes a statement. It returns zero if an argument cannot be compared
// by value, such as a map or a channel. Unless thorough, it reads only values that cost
// almost nothing and run no user code: numbers, text, times.
func OfStatement(sql string, args []any, thorough bool) Fingerprint {
	h := hasher{thorough: thorough}
	h.SetSeed(seed)
	h.text('q', sql)
	for _, arg := range args {
		if !h.value(arg) {
			return 0
		}
	}
	return h.sum()
}

// OfParts hashes the parts of a key that the caller names.
func OfParts(parts []any) Fingerprint {
	h := hasher{thorough: true}
	h.SetSeed(seed)
	h.WriteByte('k')
	for _, p := range parts {
		if !h.value(p) {
			return 0
		}
	}
	return h.sum()
}

// hasher writes values with their kinds and lengths, so that ("ab", "c") differs from
// ("a", "bc"), and 1 from "1". It reads only what the driver reads to send a value, in
// the goroutine that sends it: other goroutines may use the rest.
type hasher struct {
	maphash.Hash
	thorough bool
}

func (h *hasher) sum() Fingerprint { return max(Fingerprint(h.Sum64()), 1) }

func (h *hasher) text(kind byte, s string) {
	h.number(kind, uint64(len(s)))
	h.WriteString(s)
}

func (h *hasher) number(kind byte, n uint64) {
	h.Write([]byte{kind, byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24), byte(n >> 32), byte(n >> 40), byte(n >> 48), byte(n >> 56)})
}

// value reports whether v could be hashed by value.
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

// deepest is how far pointers and fields are followed, which also ends cycles.
const deepest = 8

var (
	timeType   = reflect.TypeFor[time.Time]()
	valuerType = reflect.TypeFor[driver.Valuer]()
)

// reflected hashes a value by its kind, or else the value behind it.
func (h *hasher) reflected(v reflect.Value, depth int) bool {
	if depth > deepest {
		return false
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
	default:
		if v.Kind() != reflect.Array || v.Type().Elem().Kind() != reflect.Uint8 {
			return h.thorough && h.behind(v, depth)
		}
		h.number('a', uint64(v.Len())) // such as a UUID
		for i := range v.Len() {
			h.WriteByte(byte(v.Index(i).Uint()))
		}
	}
	return true
}

// behind hashes a value by its own encoding if it has one, or else the values that it
// points to or consists of.
func (h *hasher) behind(v reflect.Value, depth int) bool {
	t := v.Type()
	switch k := t.Kind(); {
	case (k == reflect.Pointer || k == reflect.Interface) && v.IsNil():
		h.WriteByte('0')
		return true
	case k == reflect.Interface:
		return h.reflected(v.Elem(), depth+1)
	case t == timeType:
		return h.value(v.Interface())
	case t.Implements(valuerType):
		return h.valuer(v.Interface().(driver.Valuer), depth)
	case k == reflect.Struct:
		return h.fields(v, depth)
	case k == reflect.Pointer:
		if e := t.Elem(); e.Kind() == reflect.Struct && e != timeType && t.NumMethod() > 0 {
			return false // only its own code may know when it can be read
		}
		return h.reflected(v.Elem(), depth+1)
	case k == reflect.Slice || k == reflect.Array:
		return h.elements(v, depth)
	}
	return false
}

func (h *hasher) elements(v reflect.Value, depth int) bool {
	h.number('a', uint64(v.Len()))
	for i := range v.Len() {
		if !h.reflected(v.Index(i), depth+1) {
			return false
		}
	}
	return true
}

// fields hashes a struct, unless it has unexported fields.
func (h *hasher) fields(v reflect.Value, depth int) bool {
	t := v.Type()
	h.number('r', uint64(t.NumField()))
	for i := range t.NumField() {
		if !t.Field(i).IsExported() || !h.reflected(v.Field(i), depth+1) {
			return false
		}
	}
	return true
}

// valuer hashes the value that v stores in the database.
func (h *hasher) valuer(v driver.Valuer, depth int) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	stored, err := v.Value()
	if err != nil {
		return false
	}
	if stored == nil {
		h.WriteByte('0')
		return true
	}
	return h.reflected(reflect.ValueOf(stored), depth+1)
}
