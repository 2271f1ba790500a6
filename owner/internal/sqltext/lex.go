package sqltext

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A query in parentheses begins with one of these, in both grammars.
var queries = []string{"select", "with", "values", "table"}

// Whole statements begin with one of these.
var verbs = []string{"select", "with", "insert", "upsert", "update", "delete", "merge"}

// operators are the characters of operators in PostgreSQL, without the backtick, which
// no operator contains.
const operators = "~!@#^&|?+-*/%<>="

type lexer struct {
	in    string
	at    int
	whole bool
	open  []byte // the closing brackets of the open ones
	piece int    // where the current piece began
	out   Text
}

func lex(text string, whole bool) (*Text, error) {
	l := lexer{in: text, whole: whole}
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return nil, l.refuse("the text is not valid UTF-8")
	case strings.Trim(text, " \t\n\r\f") == "":
		return nil, l.refuse("the text is empty")
	}
	first := true
	for l.at < len(l.in) {
		if isSpace(l.in[l.at]) {
			l.at++
			continue
		}
		begin := l.at
		if err := l.token(); err != nil {
			return nil, err
		}
		if word := strings.ToLower(l.in[begin:l.at]); whole && first && !slices.Contains(verbs, word) {
			l.at = begin
			return nil, l.refuse("a statement begins with one of %s", strings.Join(verbs, ", "))
		}
		first = false
	}
	if n := len(l.open); n > 0 {
		return nil, l.refuse("%q is missing", l.open[n-1])
	}
	l.out.Pieces = append(l.out.Pieces, l.in[l.piece:])
	return &l.out, nil
}

func (l *lexer) refuse(format string, args ...any) error {
	return fmt.Errorf("at byte %d: %s", l.at, fmt.Sprintf(format, args...))
}

// next returns the byte at that distance, or 0.
func (l *lexer) next(ahead int) byte {
	if l.at+ahead < len(l.in) {
		return l.in[l.at+ahead]
	}
	return 0
}

// token skips the token that begins here.
func (l *lexer) token() error {
	switch c := l.in[l.at]; {
	case c == '\'':
		return l.text(false)
	case c == '"':
		return l.identifier()
	case isLetter(c):
		return l.word()
	case isDigit(c):
		return l.number()
	case strings.IndexByte(operators, c) >= 0:
		return l.operator()
	case c == '(':
		l.open = append(l.open, ')')
	case c == '[':
		l.open = append(l.open, ']')
	case c == '{' && l.whole: // CockroachDB's t@{FORCE_INDEX=i}
		l.open = append(l.open, '}')
	case c == ')' || c == ']' || c == '}' && l.whole:
		n := len(l.open)
		if n == 0 || l.open[n-1] != c {
			return l.refuse("%q closes nothing", c)
		}
		l.open = l.open[:n-1]
	case c == ',' || c == '.' || c == ':':
	case c == ';':
		return l.refuse("there must be no ;")
	case c == '$':
		return l.refuse("there must be no $: parameters are called @name, and text is in '…'")
	default:
		r, _ := utf8.DecodeRuneInString(l.in[l.at:])
		return l.refuse("%q is for quotes only", r)
	}
	l.at++
	return nil
}

// text skips '…', which begins here, or the rest of E'…' after the E.
func (l *lexer) text(escapes bool) error {
	for i := l.at + 1; i < len(l.in); i++ {
		switch c := l.in[i]; {
		case c == '\\' && escapes:
			i++
		case c == '\\' && i+1 < len(l.in) && l.in[i+1] == '\'':
			// If standard_conforming_strings is off, the text would go on.
			l.at = i
			return l.refuse(`there must be no \ before ' but in E'…'; give the text as a parameter`)
		case c == '\'' && i+1 < len(l.in) && l.in[i+1] == '\'':
			i++
		case c == '\'':
			l.at = i + 1
			// A new line between two texts joins them, and the second has the escapes
			// of the first.
			if strings.HasPrefix(strings.TrimLeft(l.in[l.at:], " \t\n\r\f"), "'") {
				return l.refuse("two texts follow each other")
			}
			return nil
		}
	}
	return l.refuse("a ' is missing")
}

func (l *lexer) identifier() error {
	for i := l.at + 1; i < len(l.in); i++ {
		if l.in[i] != '"' {
			continue
		}
		if i+1 < len(l.in) && l.in[i+1] == '"' {
			i++
			continue
		}
		l.at = i + 1
		return nil
	}
	return l.refuse(`a " is missing`)
}

func (l *lexer) word() error {
	begin := l.at
	for l.at < len(l.in) && (isLetter(l.in[l.at]) || isDigit(l.in[l.at]) || l.in[l.at] == '$') {
		l.at++
	}
	word := strings.ToLower(l.in[begin:l.at])
	switch c := l.next(0); {
	case word == "e" && c == '\'':
		return l.text(true)
	case c == '\'' || c == '"':
		// b'…' has escapes in CockroachDB and none in PostgreSQL.
		return l.refuse("put a space between %s and %c; the one prefix of a text is E", word, c)
	case word == "u" && c == '&' && (l.next(1) == '\'' || l.next(1) == '"'):
		return l.refuse("write characters as they are, or in E'…', and not in U&")
	case !l.whole && slices.Contains(queries, word):
		l.at = begin
		return l.refuse("there must be no subquery: %s", word)
	}
	return nil
}

func (l *lexer) number() error {
	digits := func() {
		for isDigit(l.next(0)) {
			l.at++
		}
	}
	digits()
	if l.next(0) == '.' {
		l.at++
		digits()
	}
	if c := l.next(0) | 0x20; c == 'e' {
		sign := l.next(1)
		if isDigit(sign) {
			l.at++
		} else if (sign == '+' || sign == '-') && isDigit(l.next(2)) {
			l.at += 2
		}
		digits()
	}
	if c := l.next(0); isLetter(c) || c == '\'' || c == '"' {
		return l.refuse("a number runs into %q", c)
	}
	return nil
}

// operator skips an operator, or a parameter.
func (l *lexer) operator() error {
	begin := l.at
	for l.at < len(l.in) && strings.IndexByte(operators, l.in[l.at]) >= 0 {
		l.at++
	}
	run, then := l.in[begin:l.at], l.next(0)
	switch {
	case strings.Contains(run, "--") || strings.Contains(run, "/*"):
		l.at = begin
		return l.refuse("there must be no comments")
	case !strings.HasSuffix(run, "@") || !isLetter(then) && !isDigit(then):
		return nil
	case isDigit(then):
		return l.refuse("the name of a parameter begins with a letter")
	case run != "@" || begin > 0 && !isSpace(l.in[begin-1]) && strings.IndexByte("([,", l.in[begin-1]) < 0:
		// =@a is an operator and a column, and t@i a table and its index.
		return l.refuse("put a space before the @ of a parameter (CockroachDB's indexes can be named as t@{FORCE_INDEX=i})")
	}
	l.out.Pieces = append(l.out.Pieces, l.in[l.piece:begin])
	name := l.at
	for isLetter(l.next(0)) || isDigit(l.next(0)) {
		l.at++
	}
	l.use(l.in[name:l.at])
	l.piece = l.at
	return nil
}

func (l *lexer) use(name string) {
	i := slices.Index(l.out.Names, name)
	if i < 0 {
		i = len(l.out.Names)
		l.out.Names = append(l.out.Names, name)
	}
	l.out.Uses = append(l.out.Uses, i)
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' && c != '\v' }

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
