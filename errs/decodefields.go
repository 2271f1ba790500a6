package errs

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"
)

type jsonField struct {
	typ    reflect.Type
	quoted bool // by the option "string"

	depth    int // of embedded structs
	tagged   bool
	settable bool // not behind an embedded pointer to an unexported type
}

var jsonFieldsOf sync.Map // reflect.Type to map[string]jsonField

// jsonFields are the fields of a struct by their JSON names, those of embedded
// structs included: the same that encoding/json finds, where the outermost
// wins, then the one with a tag, and of two equals none.
func jsonFields(t reflect.Type) map[string]jsonField {
	if known, ok := jsonFieldsOf.Load(t); ok {
		return known.(map[string]jsonField)
	}
	found := map[string][]jsonField{}
	collectFields(t, found)
	fields := map[string]jsonField{}
	for name, all := range found {
		slices.SortStableFunc(all, compareFields)
		if len(all) > 1 && compareFields(all[0], all[1]) == 0 || !all[0].settable {
			continue
		}
		fields[name] = all[0]
	}
	jsonFieldsOf.Store(t, fields)
	return fields
}

func compareFields(a, b jsonField) int {
	if a.depth != b.depth || a.tagged == b.tagged {
		return cmp.Compare(a.depth, b.depth)
	}
	if a.tagged {
		return -1
	}
	return 1
}

type embeddedStruct struct {
	typ      reflect.Type
	settable bool
}

// collectFields goes through the embedded structs level by level, and into each
// type once: at the level where it is found first.
func collectFields(t reflect.Type, found map[string][]jsonField) {
	visited := map[reflect.Type]bool{}
	for depth, level := 0, []embeddedStruct{{t, true}}; len(level) > 0; depth++ {
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
				name, options, _ := strings.Cut(tag, ",")
				if !validName(name) {
					name = ""
				}
				if sf.Anonymous && name == "" && target.Kind() == reflect.Struct {
					next = append(next, embeddedStruct{target, settable})
					continue
				}
				f := jsonField{typ: sf.Type, depth: depth, tagged: name != "", settable: settable,
					quoted: slices.Contains(strings.Split(options, ","), "string") && quotable(target)}
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

// validName reports whether encoding/json takes a name from a tag.
func validName(name string) bool {
	for _, c := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return false
		}
	}
	return true
}

// quotable reports whether the option "string" of a json tag has a meaning.
func quotable(t reflect.Type) bool {
	switch k := t.Kind(); k {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64:
		return true
	default:
		return k >= reflect.Int && k <= reflect.Uintptr
	}
}
