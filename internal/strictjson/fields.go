package strictjson

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// A Field is a field of a struct that receives a member of a JSON object.
type Field struct {
	Type   reflect.Type
	Index  []int // from the outermost struct
	Quoted bool  // by the option "string"

	tagged   bool
	settable bool // not behind an embedded pointer to an unexported type
}

var fieldsOf sync.Map // reflect.Type to map[string]Field

// Fields returns the fields of a struct by their JSON names, including those of
// embedded structs. They are the ones that encoding/json finds: the outermost wins,
// then the one with a tag, and of two equals none. Callers must not change the map.
func Fields(t reflect.Type) map[string]Field {
	if known, ok := fieldsOf.Load(t); ok {
		return known.(map[string]Field)
	}
	found := map[string][]Field{}
	collectFields(t, found)
	fields := map[string]Field{}
	for name, all := range found {
		slices.SortStableFunc(all, compareFields)
		if len(all) > 1 && compareFields(all[0], all[1]) == 0 || !all[0].settable {
			continue
		}
		fields[name] = all[0]
	}
	fieldsOf.Store(t, fields)
	return fields
}

func compareFields(a, b Field) int {
	if len(a.Index) != len(b.Index) || a.tagged == b.tagged {
		return cmp.Compare(len(a.Index), len(b.Index))
	}
	if a.tagged {
		return -1
	}
	return 1
}

type embeddedStruct struct {
	typ      reflect.Type
	index    []int
	settable bool
}

// collectFields visits the embedded structs level by level, and each type once, at
// the level where it is found first.
func collectFields(t reflect.Type, found map[string][]Field) {
	visited := map[reflect.Type]bool{}
	for level := []embeddedStruct{{t, nil, true}}; len(level) > 0; {
		var next []embeddedStruct
		for _, s := range level {
			if visited[s.typ] {
				continue
			}
			for i := range s.typ.NumField() {
				sf := s.typ.Field(i)
				tag := sf.Tag.Get("json")
				target := sf.Type
				if target.Name() == "" && target.Kind() == reflect.Pointer {
					target = target.Elem()
				}
				if tag == "-" || !sf.IsExported() && !(sf.Anonymous && target.Kind() == reflect.Struct) {
					continue
				}
				settable := s.settable && (sf.IsExported() || sf.Type.Kind() != reflect.Pointer)
				index := append(slices.Clone(s.index), i)
				name, options, _ := strings.Cut(tag, ",")
				if !validName(name) {
					name = nameOf(sf.Tag)
				}
				if sf.Anonymous && name == "" && target.Kind() == reflect.Struct {
					next = append(next, embeddedStruct{target, index, settable})
					continue
				}
				f := Field{Type: sf.Type, Index: index, tagged: name != "", settable: settable,
					Quoted: slices.Contains(strings.Split(options, ","), "string") && quotable(target)}
				if name == "" {
					name = sf.Name
				}
				found[name] = append(found[name], f)
			}
		}
		for _, s := range level {
			visited[s.typ] = true
		}
		level = next
	}
}

// nameOf asks encoding/json for the name in a malformed tag, which is "" or, under
// the experiment jsonv2, a part of it.
func nameOf(tag reflect.StructTag) string {
	v := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "X", Type: reflect.TypeFor[int](), Tag: tag}})).Elem()
	v.Field(0).SetInt(1) // not to be omitted
	var named map[string]any
	b, err := json.Marshal(v.Interface())
	if err != nil || json.Unmarshal(b, &named) != nil {
		return ""
	}
	for name := range named {
		if name != "X" {
			return name
		}
	}
	return ""
}

// validName reports whether encoding/json accepts a name from a tag.
func validName(name string) bool {
	for _, c := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return false
		}
	}
	return true
}

// quotable reports whether the option "string" of a json tag has an effect.
func quotable(t reflect.Type) bool {
	switch k := t.Kind(); k {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64:
		return true
	default:
		return k >= reflect.Int && k <= reflect.Uintptr
	}
}
