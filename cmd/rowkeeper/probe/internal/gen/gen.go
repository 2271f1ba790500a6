// Package gen makes values that satisfy a schema, and values that break one constraint
// of it.
//
// It does not know what a value means beyond its name, and it cannot satisfy a pattern
// with look-around or back references.
package gen

import (
	"encoding/json"
	"maps"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
)

// A Style is a way to choose among the values that a schema allows. Services refuse
// some of them for reasons that no schema tells, so several are tried.
type Style int

// The styles, in the order in which they are tried.
const (
	Marked   Style = iota // free text is a mark, every property is there
	Examples              // the document's examples, and marks otherwise
	Least                 // only what is required
	Large                 // as Marked, with larger numbers
	Styles
)

// A Generator makes values. It is not for concurrent use.
type Generator struct {
	Style Style
	Mark  func() string // returns a new text that nothing else contains
	Now   time.Time

	// Skip reports that a property is left out, unless it is required.
	Skip func(name string, s *oas.Schema) bool
}

const maxDepth = 6

// Value returns a value for a property or parameter of that name.
func (g *Generator) Value(name string, s *oas.Schema) any {
	return g.value(name, s, 0)
}

func (g *Generator) value(name string, s *oas.Schema, depth int) any {
	if s == nil {
		return g.text(name, &oas.Schema{})
	}
	if len(s.Enum) > 0 {
		return number(s.Enum[0])
	}
	if v, ok := g.given(s); ok {
		return v
	}
	if len(s.Choices) > 0 && len(s.Properties) == 0 {
		return g.value(name, s.Choices[0], depth)
	}
	switch {
	case s.Is("object") || len(s.Properties) > 0:
		return g.object(s, depth)
	case s.Is("array"):
		return g.array(name, s, depth)
	case s.Is("integer"):
		return json.Number(strconv.FormatInt(int64(g.amount(s, true)), 10))
	case s.Is("number"):
		return json.Number(strconv.FormatFloat(g.amount(s, false), 'f', -1, 64))
	case s.Is("boolean"):
		return s.Default == true
	}
	return g.text(name, s)
}

// given returns a value of the document itself, if the style wants it.
func (g *Generator) given(s *oas.Schema) (any, bool) {
	_, structured := s.Example.(map[string]any)
	free := s.Is("string") && s.Format == "" && s.Pattern == ""
	switch {
	case s.Example == nil || structured:
		return nil, false
	case g.Style == Examples, g.Style == Least:
		return number(s.Example), true
	case !free && !s.Is("integer", "number", "boolean", "array", "object") && s.Format != "uuid":
		return number(s.Example), true
	}
	return nil, false
}

func (g *Generator) object(s *oas.Schema, depth int) any {
	o := map[string]any{}
	if depth > maxDepth {
		return o
	}
	required := map[string]bool{}
	for _, name := range s.Required {
		required[name] = true
	}
	for name, p := range s.Properties {
		if p.ReadOnly || p.Mark == "server-set" {
			continue
		}
		if !required[name] && (g.Style == Least || depth > 2 || g.Skip != nil && g.Skip(name, p)) {
			continue
		}
		o[name] = g.value(name, p, depth+1)
	}
	if len(s.Choices) > 0 && len(o) == 0 {
		if inner, ok := g.value("", s.Choices[0], depth+1).(map[string]any); ok {
			maps.Copy(o, inner)
		}
	}
	return o
}

func (g *Generator) array(name string, s *oas.Schema, depth int) any {
	n := s.MinItems
	if n == 0 && depth < 3 && (s.MaxItems == nil || *s.MaxItems > 0) && g.Style != Least {
		n = 1
	}
	a := make([]any, 0, n)
	for range min(n, 20) {
		a = append(a, g.value(strings.TrimSuffix(name, "s"), s.Items, depth+1))
	}
	return a
}

// amount is small, so that many of it fit into a limit that the schema does not tell.
func (g *Generator) amount(s *oas.Schema, whole bool) float64 {
	want := 1.0
	if g.Style == Large {
		want = 1000
	}
	step := 1.0
	if s.MultipleOf != nil && *s.MultipleOf > 0 {
		step = *s.MultipleOf
		want = math.Ceil(want/step) * step
	} else if !whole {
		step = 0.01
	}
	low, high := math.Inf(-1), math.Inf(1)
	if s.Min != nil {
		low = *s.Min
		if s.OverMin {
			low += step
		}
	}
	if s.Max != nil {
		high = *s.Max
		if s.UnderMax {
			high -= step
		}
	}
	if s.MultipleOf != nil && *s.MultipleOf > 0 && !math.IsInf(low, 0) {
		low = math.Ceil(low/step) * step
	}
	v := math.Min(math.Max(want, low), high)
	if whole {
		v = math.Round(v)
	}
	return v
}

// number turns numbers of the document into the form of a decoded body.
func number(v any) any {
	switch n := v.(type) {
	case float64:
		return json.Number(strconv.FormatFloat(n, 'f', -1, 64))
	case int:
		return json.Number(strconv.Itoa(n))
	case int64:
		return json.Number(strconv.FormatInt(n, 10))
	case uint64:
		return json.Number(strconv.FormatUint(n, 10))
	case time.Time:
		return n.Format(time.RFC3339)
	}
	return v
}
