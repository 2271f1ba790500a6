package gen

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
)

// codes are texts of which only few values are possible although schemas seldom say so.
var codes = []struct{ part, value string }{
	{"currency", "EUR"}, {"country", "DE"}, {"language", "en"}, {"locale", "en-US"}, {"timezone", "UTC"}, {"time_zone", "UTC"},
	{"color", "#336699"}, {"colour", "#336699"}, {"gender", "other"}, {"postal", "10115"}, {"zip", "10115"},
}

// text returns a string of the schema: a mark, if any text will do.
func (g *Generator) text(name string, s *oas.Schema) string {
	lower := strings.ToLower(name)
	if formatted, ok := g.formatted(lower, s.Format); ok {
		return formatted
	}
	if s.Pattern != "" {
		if v, ok := fromPattern(s.Pattern, g.Mark()); ok && fits(v, s) {
			return v
		}
	}
	for _, c := range codes {
		if strings.Contains(lower, c.part) && fits(c.value, s) {
			return c.value
		}
	}
	return sized(g.Mark(), s)
}

func (g *Generator) formatted(name, format string) (string, bool) {
	switch {
	case format == "uuid":
		return UUID(), true
	case format == "date-time":
		return g.moment(name).UTC().Format(time.RFC3339), true
	case format == "date":
		return g.moment(name).UTC().Format(time.DateOnly), true
	case format == "time":
		return "12:00:00Z", true
	case format == "duration":
		return "PT1H", true
	case format == "email" || format == "" && strings.Contains(name, "email"):
		return g.Mark() + "@example.com", true
	case format == "uri" || format == "url" || format == "" && (name == "url" || strings.HasSuffix(name, "_url")):
		return "https://example.com/" + g.Mark(), true
	case format == "hostname":
		return g.Mark() + ".example.com", true
	case format == "ipv4":
		return "192.0.2.1", true
	case format == "ipv6":
		return "2001:db8::1", true
	case format == "byte":
		return base64.StdEncoding.EncodeToString([]byte(g.Mark())), true
	case format == "" && strings.Contains(name, "phone"):
		return "+4915112345678", true
	case format == "" && (strings.HasSuffix(name, "_at") || strings.HasSuffix(name, "_date")):
		return g.moment(name).UTC().Format(time.RFC3339), true
	}
	return "", false
}

func (g *Generator) moment(name string) time.Time {
	if strings.Contains(name, "birth") {
		return time.Date(1990, 1, 2, 0, 0, 0, 0, time.UTC)
	}
	return g.Now.Add(24 * time.Hour)
}

// UUID returns a random UUID.
func UUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func fits(v string, s *oas.Schema) bool {
	return len(v) >= s.MinLength && (s.MaxLength == nil || len(v) <= *s.MaxLength)
}

// sized makes a mark as long as the schema wants. The end of a mark is what differs.
func sized(mark string, s *oas.Schema) string {
	if len(mark) < s.MinLength {
		mark = strings.Repeat("x", min(s.MinLength, 1<<16)-len(mark)) + mark
	}
	if s.MaxLength != nil && len(mark) > *s.MaxLength {
		mark = mark[len(mark)-*s.MaxLength:]
	}
	return mark
}

// fromPattern returns a text that a regular expression matches. Where any letter will
// do it uses those of the mark, so that texts differ.
func fromPattern(pattern, mark string) (string, bool) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	w := patternWriter{out: &b, letters: []rune(reversed(mark))}
	if !w.write(re, 0) || b.Len() > 4096 {
		return "", false
	}
	return b.String(), true
}

func reversed(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}

type patternWriter struct {
	out     *strings.Builder
	letters []rune
}

func (w *patternWriter) write(re *syntax.Regexp, depth int) bool {
	if depth > 50 {
		return false
	}
	switch re.Op {
	case syntax.OpLiteral:
		w.out.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		w.out.WriteRune(w.pick(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		w.out.WriteRune(w.pick([]rune{'a', 'z'}))
	case syntax.OpPlus, syntax.OpStar:
		for range 8 {
			if !w.write(re.Sub[0], depth+1) {
				return false
			}
		}
	case syntax.OpQuest, syntax.OpCapture:
		return w.write(re.Sub[0], depth+1)
	case syntax.OpRepeat:
		for range max(re.Min, min(re.Max, 8)) {
			if !w.write(re.Sub[0], depth+1) {
				return false
			}
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !w.write(sub, depth+1) {
				return false
			}
		}
	case syntax.OpAlternate:
		return w.write(re.Sub[0], depth+1)
	case syntax.OpNoMatch:
		return false
	}
	return true
}

// pick returns a letter of the mark that the ranges of a class have, or the first rune
// of the class that can be printed.
func (w *patternWriter) pick(ranges []rune) rune {
	has := func(r rune) bool {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= r && r <= ranges[i+1] {
				return true
			}
		}
		return false
	}
	for i, r := range w.letters {
		for _, form := range []rune{r, []rune(strings.ToUpper(string(r)))[0], '0' + r%10} {
			if has(form) {
				w.letters = append(w.letters[:i:i], w.letters[i+1:]...)
				return form
			}
		}
	}
	for r := rune('0'); r < 0x7f; r++ {
		if has(r) {
			return r
		}
	}
	if len(ranges) > 0 {
		return ranges[0]
	}
	return 'x'
}
