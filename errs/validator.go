package errs

import (
	"reflect"
	"strings"
	"unicode"
)

// fieldErrorsMax bounds a response: every item of a list from the client may be at
// fault.
const fieldErrorsMax = 100

// validationError is one of the errors in a ValidationErrors of
// github.com/go-playground/validator. Its Value comes from the client and is not
// used.
type validationError interface {
	Tag() string
	Namespace() string
	Field() string
	Param() string
}

// fieldErrors translates an error that is a slice of validation errors, as
// go-playground/validator returns it. It returns the fields with their pointers, the
// tag as code and a constant text. The kind is Required if all errors report
// something missing. Only the first 100 are taken.
//
// The pointers are those of the JSON if the validator has a function for names
// (RegisterTagNameFunc) that returns the names of the json tags. Otherwise they are
// the names of the Go fields with a lower-case first letter: Items[2].Name is
// /items/2/name, UserID /userID. An embedded struct is named like any field.
func fieldErrors(err error) ([]FieldError, Kind, bool) {
	list := reflect.ValueOf(err)
	if list.Kind() != reflect.Slice || list.Len() == 0 {
		return nil, Internal, false
	}
	kind := Required
	var fields []FieldError
	for i := range list.Len() {
		v, ok := list.Index(i).Interface().(validationError)
		if !ok || isNil(v) {
			return nil, Internal, false
		}
		f := FieldError{Pointer: validationPointer(v), Code: validationCode(v.Tag()), Detail: Invalid.Error()}
		if f.Code == "required" || strings.HasPrefix(f.Code, "required_") {
			f.Detail = Required.Error()
		} else {
			kind = Invalid
		}
		if len(fields) < fieldErrorsMax {
			fields = append(fields, f)
		}
	}
	return fields, kind, true
}

// validationCode converts a tag to a code: letters, digits and underscores.
func validationCode(tag string) string {
	code := strings.Map(func(c rune) rune {
		switch c = unicode.ToLower(c); {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		}
		return '_'
	}, tag)
	if code == "" {
		return Invalid.Code()
	}
	return code
}

// validationPointer converts Order.Items[2].Name, where Order is the type, to a JSON
// Pointer.
func validationPointer(v validationError) string {
	path := namespacePath(v.Namespace())
	goPath, named := path, false
	if s, ok := v.(interface{ StructNamespace() string }); ok {
		goPath = namespacePath(s.StructNamespace())
		named = v.Namespace() != s.StructNamespace()
	}
	// The first element is the name of the type, the same in both paths; a type
	// without a name has none.
	if len(path) > 1 && path[0] == goPath[0] {
		path = path[1:]
	}
	var at strings.Builder
	for _, segment := range path {
		if segment == "" {
			continue
		}
		name, keys := segment, ""
		if i := strings.IndexByte(segment, '['); i >= 0 && strings.HasSuffix(segment, "]") {
			name, keys = segment[:i], segment[i+1:len(segment)-1]
		}
		if !named {
			name = lowerInitial(name)
		}
		if name != "" { // otherwise an item of the validated value
			at.WriteString("/" + escapePointer(name))
		}
		if keys != "" {
			for _, key := range strings.Split(keys, "][") {
				at.WriteString("/" + escapePointer(key))
			}
		}
	}
	return at.String()
}

// namespacePath splits at dots, but not at dots in brackets: in the keys of a map or
// the arguments of a generic type.
func namespacePath(namespace string) []string {
	var path []string
	start, depth := 0, 0
	for i := 0; i < len(namespace); i++ {
		switch namespace[i] {
		case '[':
			depth++
		case ']':
			depth--
		case '.':
			if depth <= 0 {
				path = append(path, namespace[start:i])
				start = i + 1
			}
		}
	}
	return append(path, namespace[start:])
}

// lowerInitial converts UserName to userName, ID to id and URLPath to urlPath.
func lowerInitial(name string) string {
	letters := []rune(name)
	for i, c := range letters {
		if !unicode.IsUpper(c) || i > 0 && i+1 < len(letters) && unicode.IsLower(letters[i+1]) {
			break
		}
		letters[i] = unicode.ToLower(c)
	}
	return string(letters)
}

func escapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
