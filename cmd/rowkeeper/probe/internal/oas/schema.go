package oas

import (
	"slices"
	"strings"
)

// A Schema describes a JSON value. Members of allOf are merged into it.
type Schema struct {
	Types    []string // without "null"; none means any
	Nullable bool
	Format   string
	Pattern  string
	Enum     []any // with a const as its only member
	Default  any
	Example  any

	Min, Max          *float64
	OverMin, UnderMax bool // Min and Max themselves are not allowed
	MultipleOf        *float64
	MinLength         int
	MaxLength         *int
	MinItems          int
	MaxItems          *int
	Items             *Schema
	Required          []string
	Properties        map[string]*Schema
	Closed            bool // no other properties
	Open              bool // other properties are declared to be possible
	ReadOnly          bool
	WriteOnly         bool
	Mark              string    // the value of x-rowkeeper: "server-set", "shared"
	Choices           []*Schema // of oneOf or anyOf, without null
}

// Is reports whether the schema says that values have that type. One that says nothing
// has no type.
func (s *Schema) Is(types ...string) bool {
	return s != nil && slices.ContainsFunc(s.Types, func(t string) bool { return slices.Contains(types, t) })
}

// Object returns the schema of an object that values may be: itself, or the first of
// its choices. Without one it is nil.
func (s *Schema) Object() *Schema {
	if s == nil {
		return nil
	}
	if len(s.Properties) > 0 {
		return s
	}
	for _, choice := range s.Choices {
		if o := choice.Object(); o != nil {
			return o
		}
	}
	return nil
}

// Property returns the schema of a property, or nil.
func (s *Schema) Property(name string) *Schema {
	if o := s.Object(); o != nil {
		return o.Properties[name]
	}
	return nil
}

// Names returns the names of the properties, in order.
func (s *Schema) Names() []string {
	o := s.Object()
	if o == nil {
		return nil
	}
	names := make([]string, 0, len(o.Properties))
	for name := range o.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// At returns the schema at a JSON Pointer, or nil.
func (s *Schema) At(pointer string) *Schema {
	for _, token := range Tokens(pointer) {
		switch {
		case s == nil:
			return nil
		case s.Property(token) != nil:
			s = s.Property(token)
		default:
			s = s.Items
		}
	}
	return s
}

// Tokens returns the parts of a JSON Pointer.
func Tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, t := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(t)
	}
	return tokens
}

// Token returns a part of a JSON Pointer, escaped.
func Token(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
