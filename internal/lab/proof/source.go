package main

import (
	"math"
	"math/rand/v2"
	"strings"
)

// source makes all choices: at random, or from the bytes of a fuzzer. After the
// bytes have ended, every choice is the first one.
type source struct {
	rng   *rand.Rand
	bytes []byte
	fuzz  bool
	tame  bool // values that the engines can hold, so that more statements run
}

func seeded(seed, stream uint64) *source {
	return &source{rng: rand.New(rand.NewPCG(seed, stream))}
}

// n returns a number below the limit.
func (s *source) n(limit int) int {
	if !s.fuzz {
		return s.rng.IntN(limit)
	}
	v := 0
	for width := limit - 1; width > 0; width >>= 8 {
		if len(s.bytes) == 0 {
			break
		}
		v = v<<8 | int(s.bytes[0])
		s.bytes = s.bytes[1:]
	}
	return v % limit
}

// one is true once in that many times.
func (s *source) one(in int) bool { return s.n(in) == in-1 }

func pick[T any](s *source, from ...T) T { return from[s.n(len(from))] }

// plain and hostile are texts; the plain ones often coincide in conditions.
var (
	plain   = []string{"a", "b", "ab", "", "B", "é"}
	hostile = []string{
		"%", "_", `\`, `a\`, `\\%`, "!", "a!b", "'", "''", `"`, `""`, "--", "a--b", "/*", "*/", ";", "; drop table x", "$1", "$2) or (true",
		"' or '1'='1", "null", "NULL", "\n", "\r\n", "\t", "e\u0301", "\u202e", "😀", "\ufeff", "true", "0", "1", "(", ")", "::text", "E'\\''",
		strings.Repeat("x", 300), strings.Repeat("'", 64),
	}
	unstorable = []string{"\x00", "a\x00b", "\xff", "\xc3("}
)

func (s *source) text() string {
	switch {
	case s.tame && s.one(400) || !s.tame && s.one(20):
		return pick(s, unstorable...)
	case s.one(3):
		return pick(s, hostile...)
	}
	return pick(s, plain...)
}

func (s *source) integer() int64 {
	if s.one(6) {
		return pick[int64](s, math.MaxInt64, math.MinInt64, math.MaxInt32, math.MinInt32, -1, 1<<53, 1000)
	}
	return int64(s.n(5))
}

func (s *source) small() int32 { return int32(s.n(4)) }

func (s *source) float() float64 {
	return pick(s, 0, 1, 1.5, -2, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64)
}

func (s *source) optionalText() *string {
	if s.one(3) {
		return nil
	}
	t := s.text()
	return &t
}

// names are for tables; each may have a schema in front of it.
var names = []string{
	"accounts", "select", "Order", `qu"ote`, "user", "or 1=1", "x; drop table y", "--", "/*", "ü—λ", "e\u0301", "$1", "'", `\`, " ", "a\nb",
	"_a1", "excluded_", "true", "null", "*", "%s", "(select 1)", `"`, `""`, "\t", "😀", strings.Repeat("n", 60), strings.Repeat("ü", 30), "PUBLIC", "_",
}

func (s *source) name() string {
	name := pick(s, names...)
	for s.one(3) {
		name += pick(s, "x", `"`, " ", "1", "'", "é", "-", "/", ";", ")", "$", "_", "T")
	}
	return name
}

func (s *source) code() string { return pick(s, "eu", "us", "e'u", "") }

func (s *source) optionalCode() *string {
	if s.one(3) {
		return nil
	}
	c := s.code()
	return &c
}

func (s *source) tenant() tenantID { return pick[tenantID](s, "acme", "Acme", "o'acme", "", "x") }

func optionalID(s *source) *int64 {
	if s.one(3) {
		return nil
	}
	id := int64(s.n(30))
	return &id
}

// anyName returns a name that may be refused, or may have a schema.
func (s *source) anyName() string {
	switch s.n(12) {
	case 0:
		return s.name() + "." + s.name()
	case 1:
		var b strings.Builder
		for range s.n(20) {
			b.WriteRune(pick(s, rune(s.n(128)), rune(s.n(0x3000))))
		}
		return b.String()
	}
	return s.name()
}
