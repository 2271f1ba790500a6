package ledger

import (
	"encoding"
	"fmt"
	"reflect"
	"unicode/utf8"
)

// deepestJSON is the depth to which encoding/json decodes.
const deepestJSON = 10_000

// checkValue returns why JSON cannot represent v, or nil: text that encoding/json
// replaces, or a value in an interface. The type of v has been checked, and v has been
// encoded.
func (c *jsonTypes) checkValue(v reflect.Value, depth int) error {
	if depth > deepestJSON {
		return untold("is nested too deeply")
	}
	switch v.Kind() {
	case reflect.Invalid:
		return nil
	case reflect.Interface:
		if v.IsNil() {
			return nil
		}
		in := v.Elem()
		err := c.check(jsonType{in.Type(), false})
		if err == nil {
			err = c.checkValue(in, depth+1)
		}
		return at(fmt.Sprintf("(%v)", in.Type()), err)
	case reflect.Pointer:
		return c.checkValue(v.Elem(), depth+1)
	}
	if (jsonType{v.Type(), v.CanAddr()}).encodesItself() {
		return checkText(v)
	}
	switch v.Kind() {
	case reflect.String:
		return checkString(v.String())
	case reflect.Struct:
		return c.checkFieldValues(v, depth)
	case reflect.Array, reflect.Slice:
		if plain(v.Type().Elem()) {
			return nil
		}
		for i := range v.Len() {
			if err := c.checkValue(v.Index(i), depth+1); err != nil {
				return at(fmt.Sprintf("[%d]", i), err)
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			err := checkKeyValue(entries.Key())
			if err == nil {
				err = c.checkValue(entries.Value(), depth+1)
			}
			if err != nil {
				return at("[]", err)
			}
		}
	}
	return nil
}

func (c *jsonTypes) checkFieldValues(v reflect.Value, depth int) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if holdsNothing(f) {
			continue
		}
		check, in := c.checkValue, v.Field(i)
		if nameInJSON(f) == "" {
			if in = reflect.Indirect(in); !in.IsValid() {
				continue
			}
			check = c.checkFieldValues
		}
		if err := check(in, depth+1); err != nil {
			return at("."+f.Name, err)
		}
	}
	return nil
}

// checkText checks the text of a value that encodes itself as text. A value that
// encodes itself as JSON is checked as a whole.
func checkText(v reflect.Value) error {
	if v.CanAddr() {
		v = v.Addr()
	}
	if v.Type().Implements(marshaler) {
		return nil
	}
	text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return err
	}
	return checkString(string(text))
}

func checkKeyValue(key reflect.Value) error {
	switch {
	case key.Kind() == reflect.String:
		return checkString(key.String())
	case key.Type().Implements(textMarshaler) && !(key.Kind() == reflect.Pointer && key.IsNil()):
		text, err := key.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return err
		}
		return checkString(string(text))
	}
	return nil
}

func checkString(s string) error {
	if !utf8.ValidString(s) {
		return notText("has text that is not valid UTF-8")
	}
	return nil
}

// plain reports whether no value of the type can be refused, such as a number.
func plain(t reflect.Type) bool {
	return t.Kind() >= reflect.Bool && t.Kind() <= reflect.Float64 && !(jsonType{t, true}).encodesItself()
}

// checkJSON checks a value that was encoded and then decoded: a type that encodes
// itself as JSON may contain text from elsewhere, part of which is lost in decoding.
func checkJSON(encoded []byte, decoded any) error {
	if !utf8.Valid(encoded) {
		return notText("has JSON that is not valid UTF-8")
	}
	members, ok := scanJSON(encoded)
	switch {
	case !ok:
		return notText("has JSON with half of a surrogate pair, which stands for nothing")
	case members != membersOf(decoded):
		return notText("has JSON with an object two of whose members have the same name")
	}
	return nil
}
