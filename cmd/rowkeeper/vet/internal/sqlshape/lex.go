// Package sqlshape reads the shape of a statement: its tables, its top-level conditions,
// what it writes, and whether it locks.
//
// It does not read functions' bodies, expressions within parentheses, set operations,
// MERGE, and what a common table expression does: such a statement is not Known, or has
// conditions of kind Other. It never guesses: what it is not sure of is unknown.
package sqlshape

import "strings"

// A TokenKind is a kind of token.
type TokenKind int

// The kinds of tokens.
const (
	Word   TokenKind = iota // a keyword or a name, in lower case
	Quoted                  // a name in double quotes
	String
	Number
	Param // $1, ?, :name or @name
	Punct // an operator, a bracket, a comma
	Hole  // text that is not known
)

// A Token of SQL.
type Token struct {
	Kind TokenKind
	Text string
}

func (t Token) is(text string) bool { return (t.Kind == Word || t.Kind == Punct) && t.Text == text }

// name returns the name that the token is, or "".
func (t Token) name() string {
	if t.Kind == Word || t.Kind == Quoted {
		return t.Text
	}
	return ""
}

// HoleText stands in a text for what is not known.
const HoleText = "\x00"

// A lexer splits a text. open is the quote that the text ended in, or 0.
type lexer struct {
	text     string
	tokens   []Token
	comments []string
	open     byte
}

// Lex returns the tokens of the text, and its comments.
func Lex(text string) ([]Token, []string) {
	l := lexed(text)
	return l.tokens, l.comments
}

func lexed(text string) *lexer {
	l := &lexer{text: text}
	for l.text != "" {
		l.next()
	}
	return l
}

func (l *lexer) add(kind TokenKind, text string, size int) {
	l.tokens = append(l.tokens, Token{kind, text})
	l.text = l.text[min(size, len(l.text)):]
}

func (l *lexer) next() {
	c := l.text[0]
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
		l.text = l.text[1:]
	case strings.HasPrefix(l.text, "--"):
		l.comment("\n", 2)
	case strings.HasPrefix(l.text, "/*"):
		l.comment("*/", 2)
	case c == '\'':
		l.quoted(String, '\'', 0)
	case c == '"':
		l.quoted(Quoted, '"', 0)
	case (c == 'e' || c == 'E') && strings.HasPrefix(l.text[1:], "'"):
		l.quoted(String, '\'', 1)
	case c == HoleText[0]:
		l.add(Hole, "", 1)
	case c == '$':
		l.dollar()
	case isDigit(c):
		n := 1
		for n < len(l.text) && (isDigit(l.text[n]) || l.text[n] == '.') {
			n++
		}
		l.add(Number, l.text[:n], n)
	case isLetter(c):
		n := 1
		for n < len(l.text) && (isLetter(l.text[n]) || isDigit(l.text[n]) || l.text[n] == '$') {
			n++
		}
		l.add(Word, strings.ToLower(l.text[:n]), n)
	default:
		l.operator()
	}
}

func (l *lexer) comment(end string, skip int) {
	i := strings.Index(l.text[skip:], end)
	if i < 0 {
		l.comments = append(l.comments, l.text[skip:])
		l.open = '-'
		l.text = ""
		return
	}
	l.comments = append(l.comments, l.text[skip:skip+i])
	l.text = l.text[skip+i+len(end):]
}

func (l *lexer) quoted(kind TokenKind, quote byte, prefix int) {
	var b strings.Builder
	i := prefix + 1
	for ; i < len(l.text); i++ {
		if prefix == 1 && l.text[i] == '\\' && i+1 < len(l.text) {
			i++
		} else if l.text[i] == quote {
			if i+1 < len(l.text) && l.text[i+1] == quote {
				i++
			} else {
				l.add(kind, b.String(), i+1)
				return
			}
		}
		b.WriteByte(l.text[i])
	}
	l.open = quote
	l.add(kind, b.String(), len(l.text))
}

// dollar reads $1, or a string in $tag$.
func (l *lexer) dollar() {
	n := 1
	for n < len(l.text) && isDigit(l.text[n]) {
		n++
	}
	if n > 1 {
		l.add(Param, l.text[:n], n)
		return
	}
	for n < len(l.text) && (isLetter(l.text[n]) || isDigit(l.text[n])) {
		n++
	}
	if n < len(l.text) && l.text[n] == '$' {
		tag := l.text[:n+1]
		if end := strings.Index(l.text[n+1:], tag); end >= 0 {
			l.add(String, l.text[n+1:n+1+end], n+1+end+len(tag))
			return
		}
		l.open = '$'
		l.add(String, l.text[n+1:], len(l.text))
		return
	}
	l.add(Punct, "$", 1)
}

func (l *lexer) operator() {
	if l.text[0] == '?' && (len(l.text) == 1 || strings.IndexByte("|&", l.text[1]) < 0) {
		l.add(Param, "?", 1)
		return
	}
	if (l.text[0] == ':' || l.text[0] == '@') && len(l.text) > 1 && isLetter(l.text[1]) {
		n := 2
		for n < len(l.text) && (isLetter(l.text[n]) || isDigit(l.text[n]) || l.text[n] == '.') {
			n++
		}
		l.add(Param, l.text[:n], n)
		return
	}
	for _, op := range []string{"::", "<>", "!=", "<=", ">=", "||", "->>", "->", "#>>", "#>", "@>", "<@", "!~", "~*", ":="} {
		if strings.HasPrefix(l.text, op) {
			l.add(Punct, op, len(op))
			return
		}
	}
	l.add(Punct, l.text[:1], 1)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
