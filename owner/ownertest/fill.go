package ownertest

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"reflect"
	"strings"
	"time"
)

// fill sets a field to a different value of its type each time. Fields of unknown
// types, and those that can be NULL, stay zero. Keys are random if the type is large
// enough, so that they differ from those of existing rows.
func fill(v reflect.Value, n int, key bool) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Date(2020, 1, 1, 0, 0, n, 0, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("r" + strings.ToLower(rand.Text()[:8]))
	case reflect.Bool:
		v.SetBool(n%2 == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(int64(number(v, n, key)))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		v.SetUint(uint64(number(v, n, key)))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(n))
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(rand.Text()))
		}
	case reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			b := []byte(rand.Text())
			for i := range v.Len() {
				v.Index(i).SetUint(uint64(b[i%len(b)]))
			}
		}
	}
}

func number(v reflect.Value, n int, key bool) int {
	switch {
	case v.Type().Size() == 1:
		return n % 100
	case key && v.Type().Size() >= 4:
		return 1 + mathrand.IntN(1<<30)
	}
	return n
}
