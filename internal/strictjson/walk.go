package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
)

// Check finds the faults of a body that is to be decoded into a t: at most
// [MaxFaults], in the order of the body, and none if encoding/json decodes it
// without dropping anything.
func Check(body []byte, t reflect.Type) []Fault {
	if wrong := syntax(body); wrong != nil {
		return []Fault{*wrong}
	}
	k := walker{json: body}
	k.value(shapeOf(t), nil, 0)
	return k.faults
}

// CheckMember is [Check] for the value of a field in nested objects with these
// names. The last name is the field's own.
func CheckMember(value []byte, f Field, names ...string) []Fault {
	at := placeOf(names)
	if wrong := syntax(value); wrong != nil {
		wrong.Pointer = at.pointer()
		return []Fault{*wrong}
	}
	k := walker{json: value}
	k.field(f, at, len(names))
	return k.faults
}

// walker goes through valid JSON and the Go type in step.
type walker struct {
	json   []byte
	pos    int
	faults []Fault
	done   bool // there are too many faults, or going on makes no sense
	quoted bool // in a string, because of the option "string"
}

const tooDeepText = "The request is nested too deeply."

func (k *walker) fault(at *place, code, detail string, cause error) {
	k.faults = append(k.faults, Fault{Pointer: at.pointer(), Code: code, Detail: detail, Cause: cause})
	k.done = k.done || len(k.faults) >= MaxFaults
}

func (k *walker) wrong(at *place, s *shape, cause error) {
	detail := WrongTypeText
	if words := s.expected(); words != "" {
		detail = "This value must be " + words + "."
		if k.quoted {
			detail = "This value must be a text with JSON in it, which is " + words + "."
		}
	}
	k.fault(at, WrongType, detail, cause)
}

// value checks the value at the walker's position, and moves behind it. depth
// counts the objects and arrays around it.
func (k *walker) value(s *shape, at *place, depth int) {
	k.space()
	start := k.pos
	switch k.json[k.pos] {
	case '{', '[':
		if depth == MaxDepth {
			k.fault(at, TooDeep, tooDeepText, nil)
			k.done = true
			return
		}
		k.container(s, at, depth+1)
	case '"':
		if s.form == text || s.form == whatever || s.form == anything {
			k.name(at)
			return
		}
		if _, ok := k.name(at); ok {
			k.leaf(s, at, start)
		}
	case 'n':
		k.literal()
		if !s.nullable {
			k.wrong(at, s, errors.New("null"))
		}
	default:
		k.literal()
		k.leaf(s, at, start)
	}
}

// container checks an object or an array.
func (k *walker) container(s *shape, at *place, depth int) {
	start, before := k.pos, len(k.faults)
	opened := k.json[k.pos]
	fits := s.form == whatever || s.form == itself || s.form == anything
	inner := s
	if opened == '{' {
		fits = fits || s.form == object || s.form == mapping
	} else {
		fits = fits || s.form == list || s.form == array
	}
	if !fits {
		k.wrong(at, s, nil)
	}
	if !fits || s.form == itself {
		inner = free
	}
	if opened == '{' {
		k.object(inner, at, depth)
	} else {
		k.array(inner, at, depth)
	}
	if s.form == itself && !k.done && len(k.faults) == before {
		k.leaf(s, at, start)
	}
}

func (k *walker) object(s *shape, at *place, depth int) {
	var seen members
	keys := map[any]bool(nil) // of a map: other spellings count as well
	k.pos++                   // {
	for k.space(); !k.done && k.json[k.pos] != '}'; k.space() {
		name, ok := k.name(at)
		here := place{parent: at, name: name, named: true}
		k.space()
		k.pos++ // :
		switch twice := ok && seen.add(name); {
		case !ok: // a name that cannot be reported has no place
			k.value(free, at, depth)
		case twice:
			k.fault(&here, Duplicate, "This field is there twice.", nil)
			k.value(free, &here, depth)
		case s.form == object:
			if f, ok := s.fields[string(name)]; ok {
				k.field(f, &here, depth)
				break
			}
			k.fault(&here, Unknown, "This field is not known.", nil)
			k.value(free, &here, depth)
		case s.form == mapping:
			if !s.plainKeys {
				if keys == nil {
					keys = map[any]bool{}
				}
				if !k.key(s.typ.Key(), &here, keys) {
					k.value(free, &here, depth)
					break
				}
			}
			k.value(shapeOf(s.typ.Elem()), &here, depth)
		default:
			k.value(s, &here, depth) // whatever and anything hold their like
		}
		if !k.done {
			k.next()
		}
	}
	k.pos++
}

// key checks a name that is the key of a map.
func (k *walker) key(t reflect.Type, here *place, keys map[any]bool) bool {
	key, err := mapKey(t, string(here.name))
	switch {
	case err != nil:
		k.fault(here, WrongType, "This name is of the wrong type.", Undecoded(t, err))
	case keys[key]:
		k.fault(here, Duplicate, "This field is there twice.", nil)
	default:
		keys[key] = true
		return true
	}
	return false
}

func (k *walker) array(s *shape, at *place, depth int) {
	items := s
	if s.form == list || s.form == array {
		items = shapeOf(s.typ.Elem())
	}
	k.pos++ // [
	n := 0
	for k.space(); !k.done && k.json[k.pos] != ']'; k.space() {
		here := place{parent: at, index: n}
		k.value(items, &here, depth)
		n++
		if !k.done {
			k.next()
		}
	}
	k.pos++
	if s.form == array && n != s.typ.Len() && !k.done {
		k.wrong(at, s, nil)
	}
}

// field checks the value for a field. With the option "string" of its json tag, the
// value must be inside a string.
func (k *walker) field(f Field, at *place, depth int) {
	s := shapeOf(f.Type)
	k.space()
	if !f.Quoted || k.json[k.pos] == 'n' {
		k.value(s, at, depth)
		return
	}
	within := walker{quoted: true}
	if k.json[k.pos] != '"' {
		within.wrong(at, s, nil)
		k.value(free, at, depth)
	} else if content, ok := k.name(at); ok {
		within.json = content
		if !json.Valid(content) || string(content) == "null" || len(bytes.Trim(content, " \t\r\n")) != len(content) {
			within.wrong(at, s, nil)
		} else {
			within.value(s, at, depth)
		}
	}
	k.faults = append(k.faults, within.faults...)
	k.done = k.done || within.done || len(k.faults) >= MaxFaults
}

// leaf checks the whole value from start to the walker's position.
func (k *walker) leaf(s *shape, at *place, start int) {
	raw := k.json[start:k.pos]
	if ok, err := s.takes(raw); !ok {
		if err != nil {
			err = Undecoded(s.typ, err)
		}
		k.wrong(at, s, err)
	}
}

// takes reports whether encoding/json decodes the value, which is not null.
func (s *shape) takes(raw []byte) (bool, error) {
	switch first := raw[0]; s.form {
	case whatever:
		return true, nil
	case text:
		return first == '"', nil
	case boolean:
		return first == 't' || first == 'f', nil
	case signed:
		_, err := strconv.ParseInt(string(raw), 10, s.typ.Bits())
		return err == nil, err
	case unsigned:
		_, err := strconv.ParseUint(string(raw), 10, s.typ.Bits())
		return err == nil, err
	case floating:
		_, err := strconv.ParseFloat(string(raw), s.typ.Bits())
		return err == nil, err
	case anything:
		if first == '"' || first == 't' || first == 'f' {
			return true, nil
		}
		_, err := strconv.ParseFloat(string(raw), 64)
		return err == nil, err
	case object, mapping, array, closed:
		return false, nil
	case list:
		if first != '"' {
			return false, nil
		}
	case itself:
		if s.unmarshal {
			err := reflect.New(s.typ).Interface().(json.Unmarshaler).UnmarshalJSON(raw)
			return err == nil, err
		}
	}
	err := json.Unmarshal(raw, reflect.New(s.typ).Interface())
	return err == nil, err
}

// Decode decodes a value without faults into a pointer to the field's type.
func Decode(value []byte, f Field, into any) error {
	if !f.Quoted {
		return json.Unmarshal(value, into)
	}
	var content *string
	if err := json.Unmarshal(value, &content); err != nil {
		return err
	}
	if content == nil {
		return json.Unmarshal(value, into)
	}
	return json.Unmarshal([]byte(*content), into)
}
