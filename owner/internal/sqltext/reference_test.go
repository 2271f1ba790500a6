package sqltext

import "strings"

// A dialect is how a server splits text into tokens. It follows the servers' scanners
// and does not know what this package refuses, so it shows what would happen if the
// package accepted a text.
type dialect struct {
	name      string
	backslash bool // escapes in '…' too: standard_conforming_strings is off
	bytes     bool // b'…' has escapes: CockroachDB
}

var dialects = []dialect{
	{name: "PostgreSQL"},
	{name: "PostgreSQL without standard_conforming_strings", backslash: true},
	{name: "CockroachDB", bytes: true},
}

// read is a server's reading of a text.
type read struct {
	closes    []int // where no bracket is open any more
	comment   bool
	semicolon bool
	open      bool // a quote, comment or bracket is not ended
	words     []string
}

func (d dialect) read(in string) (r read) {
	depth := 0
	for i := 0; i < len(in); {
		rest := in[i:]
		switch c := in[i]; {
		case strings.HasPrefix(rest, "--"):
			r.comment = true
			end := strings.IndexAny(rest, "\n\r")
			if end < 0 {
				r.open = true
				return r
			}
			i += end
		case strings.HasPrefix(rest, "/*"):
			r.comment = true
			nested := 0
			for {
				if i >= len(in) {
					r.open = true
					return r
				}
				if strings.HasPrefix(in[i:], "/*") {
					nested++
					i += 2
				} else if strings.HasPrefix(in[i:], "*/") {
					i += 2
					if nested--; nested == 0 {
						break
					}
				} else {
					i++
				}
			}
		case c == '\'':
			i = quote(in, i, d.backslash, &r)
		case c == '"':
			i = quote(in, i, false, &r)
		case c == '$':
			tag := 1
			for tag < len(rest) && (nameByte(rest[tag]) && (tag > 1 || !digit(rest[tag]))) && rest[tag] != '$' {
				tag++
			}
			if tag >= len(rest) || rest[tag] != '$' {
				i++
				break
			}
			end := strings.Index(rest[tag+1:], rest[:tag+1])
			if end < 0 {
				r.open = true
				return r
			}
			i += tag + 1 + end + tag + 1
		case nameByte(c) && !digit(c) && c != '$':
			lower := strings.ToLower(rest)
			switch {
			case strings.HasPrefix(lower, "e'"):
				i = quote(in, i+1, true, &r)
			case d.bytes && strings.HasPrefix(rest, "b'"):
				i = quote(in, i+1, true, &r)
			case !d.bytes && (strings.HasPrefix(lower, "b'") || strings.HasPrefix(lower, "x'")):
				i = quote(in, i+1, false, &r)
			case !d.bytes && (strings.HasPrefix(lower, "u&'") || strings.HasPrefix(lower, `u&"`)):
				i = quote(in, i+2, false, &r)
			default:
				end := 1
				for end < len(rest) && nameByte(rest[end]) {
					end++
				}
				r.words = append(r.words, lower[:end])
				i += end
			}
		default:
			switch c {
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				if depth--; depth <= 0 {
					r.closes = append(r.closes, i)
				}
			case ';':
				r.semicolon = true
			}
			i++
		}
		if r.open {
			return r
		}
	}
	r.open = depth != 0
	return r
}

// quote returns where the quote that begins at i ends, with the texts that a new
// line joins to it.
func quote(in string, i int, escapes bool, r *read) int {
	mark := in[i]
	for i++; i < len(in); i++ {
		switch {
		case in[i] == '\\' && escapes:
			i++
		case in[i] == mark && i+1 < len(in) && in[i+1] == mark:
			i++
		case in[i] == mark:
			rest := in[i+1:]
			more := strings.TrimLeft(rest, " \t\n\r\f\v")
			if mark != '\'' || !strings.HasPrefix(more, "'") || !strings.ContainsAny(rest[:len(rest)-len(more)], "\n\r") {
				return i + 1
			}
			i += len(rest) - len(more) + 1
		}
	}
	r.open = true
	return len(in)
}

func nameByte(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
