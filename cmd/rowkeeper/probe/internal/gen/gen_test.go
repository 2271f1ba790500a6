package gen

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
)

func ptr[T any](v T) *T { return &v }

func generator(style Style) *Generator {
	n := 0
	return &Generator{Style: style, Now: time.Now(), Mark: func() string { n++; return "rkabcdefgh" + strings.Repeat("x", 5) + string(rune('a'+n%26)) }}
}

var schemas = map[string]*oas.Schema{
	"free":     {Types: []string{"string"}},
	"short":    {Types: []string{"string"}, MinLength: 2, MaxLength: ptr(3)},
	"long":     {Types: []string{"string"}, MinLength: 40},
	"pattern":  {Types: []string{"string"}, Pattern: `^[A-Z]{3}-\d{4}(-x)?$`},
	"email":    {Types: []string{"string"}, Format: "email"},
	"uuid":     {Types: []string{"string"}, Format: "uuid"},
	"at":       {Types: []string{"string"}, Format: "date-time"},
	"currency": {Types: []string{"string"}, MinLength: 3, MaxLength: ptr(3)},
	"kind":     {Types: []string{"string"}, Enum: []any{"a", "b"}},
	"amount":   {Types: []string{"integer"}, Min: ptr(0.0), OverMin: true},
	"age":      {Types: []string{"integer"}, Min: ptr(18.0), Max: ptr(20.0)},
	"price":    {Types: []string{"number"}, MultipleOf: ptr(0.05), Min: ptr(0.1)},
	"fee":      {Types: []string{"number"}, Max: ptr(0.5), UnderMax: true},
	"tags":     {Types: []string{"array"}, MinItems: 2, Items: &oas.Schema{Types: []string{"string"}, MaxLength: ptr(4)}},
	"choice":   {Choices: []*oas.Schema{{Types: []string{"integer"}}, {Types: []string{"string"}}}},
	"thing": {Types: []string{"object"}, Required: []string{"name"}, Properties: map[string]*oas.Schema{
		"name": {Types: []string{"string"}}, "id": {Types: []string{"string"}, ReadOnly: true}, "note": {Types: []string{"string"}, Nullable: true},
	}},
	"example": {Types: []string{"string"}, Pattern: `^(?:a)$`, Example: "a"},
}

func TestValuesSatisfyTheirSchema(t *testing.T) {
	t.Parallel()
	for style := range Styles {
		for name, s := range schemas {
			v := generator(style).Value(name, s)
			text, err := json.Marshal(v)
			require.NoError(t, err, name)
			d := json.NewDecoder(strings.NewReader(string(text)))
			d.UseNumber()
			var back any
			require.NoError(t, d.Decode(&back))
			where, keyword := s.Violates(back)
			require.Empty(t, keyword, "%s %s in style %d: %s", name, where, style, text)
		}
	}
	require.NotContains(t, generator(Marked).Value("", schemas["thing"]), "id", "it is readOnly")
}

func TestTextsDiffer(t *testing.T) {
	t.Parallel()
	g := generator(Marked)
	for _, name := range []string{"free", "long", "email"} {
		require.NotEqual(t, g.Value(name, schemas[name]), g.Value(name, schemas[name]), name)
	}
	require.Regexp(t, regexp.MustCompile(schemas["pattern"].Pattern), g.Value("pattern", schemas["pattern"]))
}

func TestBrokenValuesBreakTheirConstraint(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"short": "minLength maxLength", "pattern": "pattern", "kind": "enum", "amount": "minimum", "age": "minimum minimum maximum"} {
		got := []string{}
		for _, m := range Broken(schemas[name], false) {
			_, keyword := schemas[name].Violates(m.Value)
			require.Equal(t, m.Kind, keyword, "%s %v", name, m.Value)
			got = append(got, m.Kind)
		}
		require.Equal(t, want, strings.Join(got, " "), name)
	}
	require.Equal(t, []Mutation{{Kind: "required", Drop: true}}, Broken(schemas["free"], true))
}

func TestMutationsFitTheKindOfValue(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]string{"free": "a NUL character", "uuid": "a malformed UUID", "amount": "the largest number of 8 bytes", "at": "a year out of range", "tags": "a list of null"} {
		found := false
		for _, m := range JSON(schemas[name]) {
			found = found || m.Kind == kind
		}
		require.True(t, found, "%s: %s", name, kind)
	}
	for _, m := range Strings(schemas["amount"]) {
		require.Empty(t, m.Raw, "a query has no raw JSON")
	}
}
