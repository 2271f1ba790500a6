package oas

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"unicode/utf8"
)

// Violates returns the JSON Pointer and the keyword of the first constraint that a
// decoded JSON value breaks, or two empty strings. Numbers are json.Number. Formats are
// not constraints.
func (s *Schema) Violates(value any) (pointer, keyword string) {
	return s.violates(value, "", 32)
}

func (s *Schema) violates(value any, at string, depth int) (string, string) {
	if s == nil || depth == 0 {
		return "", ""
	}
	if value == nil {
		if s.Nullable || len(s.Types) == 0 {
			return "", ""
		}
		return at, "type"
	}
	if !s.hasType(value) {
		return at, "type"
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e any) bool { return sameJSON(e, value) }) {
		return at, "enum"
	}
	if len(s.Choices) > 0 && !slices.ContainsFunc(s.Choices, func(c *Schema) bool {
		_, broken := c.violates(value, at, depth-1)
		return broken == ""
	}) {
		return at, "anyOf"
	}
	switch v := value.(type) {
	case string:
		return s.violatesString(v, at)
	case json.Number:
		return s.violatesNumber(v, at)
	case []any:
		return s.violatesArray(v, at, depth)
	case map[string]any:
		return s.violatesObject(v, at, depth)
	}
	return "", ""
}

func (s *Schema) hasType(value any) bool {
	if len(s.Types) == 0 {
		return true
	}
	switch v := value.(type) {
	case string:
		return s.Is("string")
	case bool:
		return s.Is("boolean")
	case json.Number:
		f, err := v.Float64()
		return s.Is("number") || s.Is("integer") && (err != nil || f == math.Trunc(f))
	case []any:
		return s.Is("array")
	case map[string]any:
		return s.Is("object")
	}
	return false
}

func (s *Schema) violatesString(v, at string) (string, string) {
	n := utf8.RuneCountInString(v)
	switch {
	case n < s.MinLength:
		return at, "minLength"
	case s.MaxLength != nil && n > *s.MaxLength:
		return at, "maxLength"
	}
	if s.Pattern != "" {
		if re, err := regexp.Compile(s.Pattern); err == nil && !re.MatchString(v) {
			return at, "pattern"
		}
	}
	return "", ""
}

func (s *Schema) violatesNumber(v json.Number, at string) (string, string) {
	f, err := v.Float64()
	if err != nil {
		return "", ""
	}
	switch {
	case s.Min != nil && (f < *s.Min || s.OverMin && f == *s.Min):
		return at, "minimum"
	case s.Max != nil && (f > *s.Max || s.UnderMax && f == *s.Max):
		return at, "maximum"
	case s.MultipleOf != nil && *s.MultipleOf > 0:
		if q := f / *s.MultipleOf; math.Abs(q-math.Round(q)) > 1e-9 {
			return at, "multipleOf"
		}
	}
	return "", ""
}

func (s *Schema) violatesArray(v []any, at string, depth int) (string, string) {
	switch {
	case len(v) < s.MinItems:
		return at, "minItems"
	case s.MaxItems != nil && len(v) > *s.MaxItems:
		return at, "maxItems"
	}
	for _, item := range v {
		if p, k := s.Items.violates(item, at+"/0", depth-1); k != "" {
			return p, k
		}
	}
	return "", ""
}

func (s *Schema) violatesObject(v map[string]any, at string, depth int) (string, string) {
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			return at + "/" + Token(name), "required"
		}
	}
	for name, member := range v {
		p := s.Properties[name]
		if p == nil && s.Closed && len(s.Choices) == 0 {
			return at + "/" + Token(name), "additionalProperties"
		}
		if where, k := p.violates(member, at+"/"+Token(name), depth-1); k != "" {
			return where, k
		}
	}
	return "", ""
}

func sameJSON(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}
