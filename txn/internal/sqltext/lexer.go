package sqltext

import "strings"

// lexer splits SQL text into tokens, as far as PostgreSQL and CockroachDB agree on
// where strings, comments and statements end.
type lexer struct {
	text    string
	pos     int
	escapes bool // backslashes escape in plain strings: standard_conforming_strings is off
}

type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenWord             // a keyword, or a name without quotes
	tokenQuoted           // a name in double quotes
	tokenOther            // a string, a number, a parameter, or a character by itself
)

// token is a piece of text. value holds a word, or a name without its quotes.
type token struct {
	kind  tokenKind
	char  byte // the first one
	value string
}

// is compares a word, ignoring case, with a lower-case word.
func (t token) is(word string) bool {
	return t.kind == tokenWord && strings.EqualFold(t.value, word)
}

// next returns the next token after white space and comments.
func (l *lexer) next() token {
	l.space()
	if l.pos >= len(l.text) {
		return token{kind: tokenEnd}
	}
	switch c := l.text[l.pos]; {
	case c >= '0' && c <= '9':
		return l.number()
	case isWordByte(c) && c != '$':
		return l.word()
	case c == '\'':
		l.quoted('\'', l.escapes)
		return token{kind: tokenOther, char: c}
	case c == '"':
		start := l.pos + 1
		l.quoted('"', false)
		return token{kind: tokenQuoted, char: c, value: strings.TrimSuffix(l.text[start:l.pos], `"`)}
	case c == '$':
		l.dollar()
		return token{kind: tokenOther, char: c}
	default:
		l.pos++
		return token{kind: tokenOther, char: c}
	}
}

// peek returns the token that next would return.
func (l *lexer) peek() token {
	ahead := *l
	return ahead.next()
}

// space skips white space and comments, and reports whether a line ended there.
func (l *lexer) space() (newline bool) {
	for l.pos < len(l.text) {
		switch rest := l.text[l.pos:]; {
		case rest[0] == '\n' || rest[0] == '\r':
			newline = true
			l.pos++
		case strings.IndexByte(" \t\f\v", rest[0]) >= 0:
			l.pos++
		case strings.HasPrefix(rest, "--"):
			if l.pos += strings.IndexAny(rest, "\n\r"); !strings.ContainsAny(rest, "\n\r") {
				l.pos = len(l.text)
			}
		case strings.HasPrefix(rest, "/*"):
			l.comment()
		default:
			return newline
		}
	}
	return newline
}

// comment skips a comment, including nested ones.
func (l *lexer) comment() {
	for depth := 0; l.pos < len(l.text); {
		switch rest := l.text[l.pos:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.pos += 2
		case strings.HasPrefix(rest, "*/"):
			l.pos += 2
			if depth--; depth == 0 {
				return
			}
		default:
			l.pos++
		}
	}
}

// word reads a word. A string after an E, or after CockroachDB's B, is part of it.
func (l *lexer) word() token {
	start := l.pos
	for l.pos < len(l.text) && isWordByte(l.text[l.pos]) {
		l.pos++
	}
	word := l.text[start:l.pos]
	if len(word) > 1 || strings.IndexByte("eEbB", word[0]) < 0 || !strings.HasPrefix(l.text[l.pos:], "'") {
		return token{kind: tokenWord, char: word[0], value: word}
	}
	for {
		l.quoted('\'', true)
		end := l.pos
		if !l.space() || !strings.HasPrefix(l.text[l.pos:], "'") { // the string continues on the next line
			l.pos = end
			return token{kind: tokenOther, char: word[0]}
		}
	}
}

func (l *lexer) number() token {
	c := l.text[l.pos]
	for l.pos < len(l.text) && (l.text[l.pos] == '.' || isWordByte(l.text[l.pos]) && l.text[l.pos] != '$') {
		l.pos++
	}
	return token{kind: tokenOther, char: c}
}

// quoted skips quoted text, in which a quote is written twice.
func (l *lexer) quoted(quote byte, escapes bool) {
	for l.pos++; l.pos < len(l.text); l.pos++ {
		switch c := l.text[l.pos]; {
		case c == '\\' && escapes:
			l.pos++
		case c != quote:
		case l.pos+1 < len(l.text) && l.text[l.pos+1] == quote:
			l.pos++
		default:
			l.pos++
			return
		}
	}
	l.pos = len(l.text)
}

// dollar skips a dollar-quoted string, or the sign of a parameter.
func (l *lexer) dollar() {
	end := l.pos + 1
	for end < len(l.text) && isWordByte(l.text[end]) && l.text[end] != '$' {
		end++
	}
	if first := l.text[min(l.pos+1, len(l.text)-1)]; end == len(l.text) || l.text[end] != '$' || first >= '0' && first <= '9' {
		l.pos++
		return
	}
	tag := l.text[l.pos : end+1]
	_, rest, found := strings.Cut(l.text[end+1:], tag)
	if l.pos = len(l.text) - len(rest); !found {
		l.pos = len(l.text)
	}
}

func isWordByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}
