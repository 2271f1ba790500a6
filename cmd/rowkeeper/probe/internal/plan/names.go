package plan

import (
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
)

func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

func isParam(part string) bool { return strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") }

func pathParams(path string) (names []string) {
	for _, part := range segments(path) {
		if isParam(part) {
			names = append(names, strings.Trim(part, "{}"))
		}
	}
	return names
}

func lastStatic(path string) string {
	last := ""
	for _, part := range segments(path) {
		if !isParam(part) {
			last = part
		}
	}
	return last
}

// pathResource names what the parameter at an index of a path identifies: the segment
// before it, or else its own name.
func pathResource(parts []string, i int) string {
	own := words(strings.Trim(parts[i], "{}"))
	if i > 0 && !isParam(parts[i-1]) {
		return singular(parts[i-1])
	}
	if len(own) > 1 {
		return own[len(own)-2]
	}
	return strings.Join(own, "")
}

// verbs are last segments of paths that say what is done and not to what.
var verbs = map[string]bool{"create": true, "new": true, "add": true, "update": true, "edit": true, "delete": true, "remove": true, "get": true, "list": true, "search": true, "all": true, "mine": true}

// stem names the resource of a path without parameters.
func (p *Plan) stem(path string) string {
	parts := segments(path)
	for i := len(parts) - 1; i >= 0; i-- {
		if !isParam(parts[i]) && !verbs[strings.ToLower(parts[i])] {
			return singular(parts[i])
		}
	}
	return singular(strings.Join(parts, ""))
}

// TakesID reports whether a property of that name and schema takes the id of an object.
func TakesID(name string, s *oas.Schema) bool {
	if s != nil && (s.Is("boolean", "array", "object", "number") || len(s.Enum) > 0) {
		return false
	}
	w := words(name)
	last := ""
	if len(w) > 0 {
		last = w[len(w)-1]
	}
	return last == "id" || last == "uuid" || last == "guid" || s != nil && s.Format == "uuid"
}

// named returns the resource that a name such as from_account_id stands for, or nil.
// "id" alone stands for the resource of the path.
func (p *Plan) named(name, stem string) *Resource {
	w := words(name)
	for len(w) > 0 && (w[len(w)-1] == "id" || w[len(w)-1] == "uuid" || w[len(w)-1] == "guid") {
		w = w[:len(w)-1]
	}
	if len(w) == 0 {
		return p.byName[stem]
	}
	for from := range w {
		for to := len(w); to > from; to-- {
			for _, sep := range []string{"", "-", "_"} {
				if r := p.byName[singular(strings.Join(w[from:to], sep))]; r != nil {
					return r
				}
			}
		}
	}
	return nil
}

// words splits fromAccountID, from_account_id and from-account-id in the same way.
func words(name string) (list []string) {
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			list = append(list, strings.ToLower(word.String()))
			word.Reset()
		}
	}
	runes := []rune(name)
	upper := func(i int) bool { return i >= 0 && i < len(runes) && 'A' <= runes[i] && runes[i] <= 'Z' }
	for i, r := range runes {
		switch {
		case r == '_' || r == '-' || r == '.' || r == ' ':
			flush()
			continue
		case upper(i) && (!upper(i-1) || i+1 < len(runes) && !upper(i+1) && runes[i+1] != '_'):
			flush()
		}
		word.WriteRune(r)
	}
	flush()
	return list
}

func singular(word string) string {
	word = strings.ToLower(word)
	switch {
	case strings.HasSuffix(word, "ies") && len(word) > 4:
		return word[:len(word)-3] + "y"
	case strings.HasSuffix(word, "ses") || strings.HasSuffix(word, "xes") || strings.HasSuffix(word, "ches"):
		return word[:len(word)-2]
	case strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") && !strings.HasSuffix(word, "us"):
		return word[:len(word)-1]
	}
	return word
}

func plural(word string) bool { return singular(word) != strings.ToLower(word) }
