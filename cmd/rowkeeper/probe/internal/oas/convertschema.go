package oas

import (
	"cmp"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// schema returns our form of a schema, the same one for the same schema, so that a
// circle ends.
func (c *converter) schema(ref *openapi3.SchemaRef) *Schema {
	if ref == nil || ref.Value == nil {
		return &Schema{}
	}
	v := ref.Value
	if s := c.schemas[v]; s != nil {
		return s
	}
	s := &Schema{}
	c.schemas[v] = s
	c.scalars(s, v)
	if v.Items != nil {
		s.Items = c.schema(v.Items)
	}
	if len(v.Properties) > 0 {
		s.Properties = make(map[string]*Schema, len(v.Properties))
		for name, p := range v.Properties {
			s.Properties[name] = c.schema(p)
		}
	}
	for _, part := range v.AllOf {
		merge(s, c.schema(part))
	}
	for _, choice := range slices.Concat(v.AnyOf, v.OneOf) {
		c.choice(s, choice)
	}
	s.settle()
	if m := mark(ref.Extensions); m != "" && s.Mark == "" {
		s.Mark = m
	}
	return s
}

func (c *converter) scalars(s *Schema, v *openapi3.Schema) {
	for _, t := range v.Type.Slice() {
		if t == "null" {
			s.Nullable = true
		} else {
			s.Types = append(s.Types, t)
		}
	}
	s.Nullable = s.Nullable || v.Nullable
	s.Format, s.Pattern, s.Enum, s.Default = v.Format, v.Pattern, v.Enum, v.Default
	if v.Const != nil {
		s.Enum = []any{v.Const}
	}
	s.Example = v.Example
	if s.Example == nil && len(v.Examples) > 0 {
		s.Example = v.Examples[0]
	}
	s.Min, s.Max, s.MultipleOf = v.Min, v.Max, v.MultipleOf
	s.Min, s.OverMin = bound(s.Min, v.ExclusiveMin, func(a, b float64) bool { return a >= b })
	s.Max, s.UnderMax = bound(s.Max, v.ExclusiveMax, func(a, b float64) bool { return a <= b })
	s.MinLength, s.MaxLength = int(v.MinLength), length(v.MaxLength)
	s.MinItems, s.MaxItems = int(v.MinItems), length(v.MaxItems)
	s.Required, s.ReadOnly, s.WriteOnly = v.Required, v.ReadOnly, v.WriteOnly
	s.Closed = v.AdditionalProperties.Has != nil && !*v.AdditionalProperties.Has ||
		v.UnevaluatedProperties.Has != nil && !*v.UnevaluatedProperties.Has
	s.Open = v.AdditionalProperties.Schema != nil || v.AdditionalProperties.Has != nil && *v.AdditionalProperties.Has
	s.Mark = mark(v.Extensions)
}

// bound joins an inclusive bound and an exclusive one, which in OpenAPI 3.0 is a flag.
func bound(inclusive *float64, exclusive openapi3.ExclusiveBound, tighter func(a, b float64) bool) (*float64, bool) {
	switch {
	case exclusive.Value != nil && (inclusive == nil || tighter(*exclusive.Value, *inclusive)):
		return exclusive.Value, true
	case exclusive.Bool != nil && *exclusive.Bool && inclusive != nil:
		return inclusive, true
	}
	return inclusive, false
}

func length(n *uint64) *int {
	if n == nil {
		return nil
	}
	i := int(min(*n, 1<<31))
	return &i
}

// choice adds an alternative. Null is none: it makes the schema nullable.
func (c *converter) choice(s *Schema, ref *openapi3.SchemaRef) {
	if ref != nil && ref.Value != nil && ref.Value.Type.Is("null") {
		s.Nullable = true
		return
	}
	s.Choices = append(s.Choices, c.schema(ref))
}

// settle replaces a single alternative by what it says: "anyOf: [T, null]" is how
// generators write an optional T.
func (s *Schema) settle() {
	if len(s.Choices) != 1 || s.Choices[0] == s {
		return
	}
	only := s.Choices[0]
	s.Choices = nil
	merge(s, only)
	s.Choices = only.Choices
}

// merge adds to s what another schema says of the same value.
func merge(s, with *Schema) {
	if s == with {
		return
	}
	if len(s.Types) == 0 {
		s.Types = with.Types
	}
	s.Nullable = s.Nullable || with.Nullable
	s.Format, s.Pattern = cmp.Or(s.Format, with.Format), cmp.Or(s.Pattern, with.Pattern)
	if s.Enum == nil {
		s.Enum = with.Enum
	}
	if s.Default == nil {
		s.Default = with.Default
	}
	if s.Example == nil {
		s.Example = with.Example
	}
	if s.Min == nil {
		s.Min, s.OverMin = with.Min, with.OverMin
	}
	if s.Max == nil {
		s.Max, s.UnderMax = with.Max, with.UnderMax
	}
	s.MultipleOf = cmp.Or(s.MultipleOf, with.MultipleOf)
	s.MinLength, s.MaxLength = max(s.MinLength, with.MinLength), cmp.Or(s.MaxLength, with.MaxLength)
	s.MinItems, s.MaxItems = max(s.MinItems, with.MinItems), cmp.Or(s.MaxItems, with.MaxItems)
	s.Items = cmp.Or(s.Items, with.Items)
	s.Required = slices.Concat(s.Required, with.Required)
	if len(with.Properties) > 0 {
		joined := maps.Clone(with.Properties)
		maps.Copy(joined, s.Properties)
		s.Properties = joined
	}
	s.Closed, s.Open = s.Closed || with.Closed, s.Open || with.Open
	s.ReadOnly, s.WriteOnly = s.ReadOnly || with.ReadOnly, s.WriteOnly || with.WriteOnly
	s.Mark = cmp.Or(s.Mark, with.Mark)
	if len(s.Choices) == 0 {
		s.Choices = with.Choices
	}
}
