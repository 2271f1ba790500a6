package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// comesBack returns how b, decoded from the JSON of a, differs from a, or nil. Types
// that encode themselves are compared by their encoding. A nil slice or map equals an
// empty one.
func comesBack(a, b reflect.Value) error {
	switch a.Kind() {
	case reflect.Interface, reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return changed(a.IsNil() != b.IsNil())
		}
		if a, b = a.Elem(), b.Elem(); a.Type() != b.Type() {
			return untold("has a %v, which comes back as a %v", a.Type(), b.Type())
		}
		return comesBack(a, b)
	}
	if (jsonType{a.Type(), a.CanAddr()}).encodesItself() {
		return comesBackEncoded(a, b)
	}
	switch a.Kind() {
	case reflect.Struct:
		return comeBack(a, b)
	case reflect.Array, reflect.Slice:
		return comesBackList(a, b)
	case reflect.Map:
		return comesBackMap(a, b)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer: // nil, as others cannot be encoded
		return nil
	}
	return changed(!a.Equal(b))
}

// comeBack compares the fields of a struct.
func comeBack(a, b reflect.Value) error {
	for i := range a.NumField() {
		f := a.Type().Field(i)
		if holdsNothing(f) {
			continue
		}
		compare, before, after := comesBack, a.Field(i), b.Field(i)
		if nameInJSON(f) == "" {
			before, after = reflect.Indirect(before), reflect.Indirect(after)
			if !before.IsValid() || !after.IsValid() {
				if before.IsValid() != after.IsValid() {
					return at("."+f.Name, changed(true))
				}
				continue
			}
			compare = comeBack
		}
		if err := compare(before, after); err != nil {
			return at("."+f.Name, err)
		}
	}
	return nil
}

func comesBackList(a, b reflect.Value) error {
	if a.Len() != b.Len() {
		return changed(true)
	}
	if a.Kind() == reflect.Slice && a.Type().Elem().Kind() == reflect.Uint8 {
		return changed(!bytes.Equal(a.Bytes(), b.Bytes()))
	}
	for i := range a.Len() {
		if err := comesBack(a.Index(i), b.Index(i)); err != nil {
			return at(fmt.Sprintf("[%d]", i), err)
		}
	}
	return nil
}

func comesBackMap(a, b reflect.Value) error {
	if a.Len() != b.Len() {
		return changed(true)
	}
	for entries := a.MapRange(); entries.Next(); {
		after := b.MapIndex(entries.Key())
		if !after.IsValid() {
			return at("[]", changed(true))
		}
		if err := comesBack(entries.Value(), after); err != nil {
			return at("[]", err)
		}
	}
	return nil
}

func comesBackEncoded(a, b reflect.Value) error {
	if a.CanAddr() {
		a, b = a.Addr(), b.Addr()
	}
	before, err := json.Marshal(a.Interface())
	if err != nil {
		return err
	}
	after, err := json.Marshal(b.Interface())
	if err != nil {
		return err
	}
	return changed(!bytes.Equal(before, after))
}

func changed(is bool) error {
	if is {
		return untold("comes back changed")
	}
	return nil
}
