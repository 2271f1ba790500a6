package gen

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
)

// A Mutation replaces one value by one that a careful service refuses, or that its
// database cannot store.
type Mutation struct {
	Kind  string // what is done, as a phrase: "a NUL character"
	Value any    // instead of the value, if Raw is ""
	Raw   string // instead of the value, as bytes: JSON that no encoder writes
	Drop  bool   // the value is left out
}

// A text of the kinds that break strings in databases and their drivers.
const (
	nul     = "rk\x00nul"
	badUTF8 = "rk\xff\xfe"
)

// Strings returns mutations of a value in a path or a query, which is always text.
func Strings(s *oas.Schema) []Mutation {
	list := []Mutation{{Kind: "a NUL character", Value: nul}, {Kind: "invalid UTF-8", Value: badUTF8}}
	switch {
	case s.Is("integer", "number"):
		list = append(list,
			Mutation{Kind: "a number above 8 bytes", Value: "9223372036854775808"},
			Mutation{Kind: "a number above 4 bytes", Value: "2147483648"},
			Mutation{Kind: "text instead of a number", Value: "rk"})
	case s.Format == "uuid":
		list = append(list, Mutation{Kind: "a malformed UUID", Value: "not-a-uuid"},
			Mutation{Kind: "a UUID cut short", Value: "00000000-0000-4000-8000"})
	case s.Format == "date" || s.Format == "date-time":
		list = append(list, Mutation{Kind: "a date that does not exist", Value: "2023-02-30"},
			Mutation{Kind: "a year out of range", Value: "999999-01-01T00:00:00Z"})
	default:
		list = append(list, Mutation{Kind: "a malformed id", Value: "not-a-uuid"}, Mutation{Kind: "a long text", Value: strings.Repeat("x", 3000)})
	}
	return list
}

// JSON returns mutations of a value in a JSON body.
func JSON(s *oas.Schema) []Mutation {
	list := []Mutation{{Kind: "null", Value: nil}, {Kind: "left out", Drop: true}}
	switch {
	case s.Is("integer", "number"):
		list = append(list,
			Mutation{Kind: "text instead of a number", Value: "rk"},
			Mutation{Kind: "a number above 8 bytes", Value: json.Number("9223372036854775808")},
			Mutation{Kind: "the largest number of 8 bytes", Value: json.Number("9223372036854775807")},
			Mutation{Kind: "1e400", Raw: "1e400"},
			Mutation{Kind: "a negative number", Value: json.Number("-9223372036854775808")})
	case s.Is("boolean"):
		list = append(list, Mutation{Kind: "text instead of a flag", Value: "rk"})
	case s.Is("array"):
		list = append(list, Mutation{Kind: "an object instead of a list", Value: map[string]any{}},
			Mutation{Kind: "a list of null", Value: []any{nil}})
	case s.Is("object") || len(s.Properties) > 0:
		list = append(list, Mutation{Kind: "a list instead of an object", Value: []any{}},
			Mutation{Kind: "text instead of an object", Value: "rk"})
	default:
		list = append(list, text(s)...)
	}
	return append(list, Mutation{Kind: "a value nested 2,000 deep", Raw: strings.Repeat("[", 2000) + strings.Repeat("]", 2000)})
}

func text(s *oas.Schema) []Mutation {
	list := []Mutation{
		{Kind: "a NUL character", Value: nul},
		{Kind: "invalid UTF-8", Raw: `"` + badUTF8 + `"`},
		{Kind: "half of a surrogate pair", Raw: `"\ud800"`},
		{Kind: "an object instead of text", Value: map[string]any{}},
		{Kind: "a number instead of text", Value: json.Number("5")},
	}
	switch s.Format {
	case "uuid":
		list = append(list, Mutation{Kind: "a malformed UUID", Value: "not-a-uuid"})
	case "date", "date-time":
		list = append(list, Mutation{Kind: "a date that does not exist", Value: "2023-02-30"},
			Mutation{Kind: "a year out of range", Value: "999999-01-01T00:00:00Z"})
	default:
		list = append(list, Mutation{Kind: "an empty text", Value: ""}, Mutation{Kind: "a long text", Value: strings.Repeat("x", 20000)})
	}
	return list
}

// Broken returns mutations that each break one declared constraint, by its keyword. The
// type is not among them, because many services convert it and say so.
func Broken(s *oas.Schema, required bool) []Mutation {
	var list []Mutation
	add := func(kind string, v any) { list = append(list, Mutation{Kind: kind, Value: v}) }
	if s.Min != nil && math.Abs(*s.Min) < 1e15 {
		below := *s.Min - 1
		if s.OverMin && *s.Min != 0 {
			below = *s.Min
		}
		add("minimum", json.Number(strconv.FormatFloat(math.Floor(below), 'f', -1, 64)))
		if below >= 0 {
			add("minimum", json.Number("-7")) // zero often does nothing
		}
	}
	if s.Max != nil && math.Abs(*s.Max) < 1e15 {
		add("maximum", json.Number(strconv.FormatFloat(math.Ceil(*s.Max)+1, 'f', -1, 64)))
	}
	if s.Is("string") && len(s.Enum) == 0 && s.Format == "" {
		if s.MinLength > 0 {
			add("minLength", strings.Repeat("x", s.MinLength-1))
		}
		if s.MaxLength != nil && *s.MaxLength < 1<<16 {
			add("maxLength", strings.Repeat("x", *s.MaxLength+1))
		}
		if s.Pattern != "" {
			add("pattern", "\u00a7 rk \u00a7")
		}
	}
	if s.Is("string") && len(s.Enum) > 0 {
		add("enum", "rk-no-such-value")
	}
	if required && s.Default == nil {
		list = append(list, Mutation{Kind: "required", Drop: true})
	}
	return list
}
