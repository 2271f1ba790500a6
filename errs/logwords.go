package errs

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// txnWords matches the words of package txn before the text of a cause: the name of
// the operation, set by txn.Name, and what went wrong.
var txnWords = regexp.MustCompile(`^txn( ([\w./ -]{1,80}))?: (begin|not begun|commit|rolled back|rolled back \d+ times in [\w.µ]+|` +
	`rolled back, because the function returned a conflict of another connection|committed, but|unknown whether the transaction was committed|` +
	`waiting to retry|waiting for a permit|waiting for a call with the same key|Once|` +
	`Once: there is no ledger: create it by once\.Schema|the function returned nil although a statement had failed, so it was rolled back)$`)

// pgxWords match the parts of pgx errors that hold no value.
var pgxWords = []*regexp.Regexp{
	regexp.MustCompile(`^failed to encode args\[\d+\]`),
	regexp.MustCompile(` into (binary|text) format for \w+ \(OID \d+\)`),
	regexp.MustCompile(`can't scan into dest\[\d+\]`),
	regexp.MustCompile(`cannot scan (NULL|[\w ]+ \(OID \d+\) in (binary|text) format) into \*+[\w.\[\]]+`),
	regexp.MustCompile(`^expected \d+ arguments, got \d+$`),
}

// words returns the text of the error itself, without the errors that it wraps, if it
// is known to hold no value: for errors of packages txn and owner, of pgx, and of a
// call to another service.
func words(err error) string {
	switch e := err.(type) {
	case interface{ Describe() string }: // of package owner
		return e.Describe()
	case *url.Error:
		return strings.TrimSpace(methodWords(e.Op) + " " + hostOf(e.URL))
	case pgx.ScanArgError:
		return fmt.Sprintf("column %d %s", e.ColumnIndex, e.FieldName)
	case *pgconn.PgError:
		return ""
	}
	own := err.Error()
	if inner := errors.Unwrap(err); inner != nil {
		var ok bool
		if own, ok = strings.CutSuffix(own, inner.Error()); !ok {
			return ""
		}
		own = strings.TrimSuffix(own, ": ")
	}
	if txnWords.MatchString(own) {
		return own
	}
	var found []string
	for _, r := range pgxWords {
		if all := r.FindAllString(own, -1); all != nil {
			found = append(found, strings.TrimSpace(all[len(all)-1]))
		}
	}
	return strings.Join(found, ", ")
}

// methodWords returns the operation of a *url.Error: the method, or parse.
func methodWords(op string) string {
	if strings.Trim(op, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return ""
	}
	return op
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// operation returns the name of the transaction that failed.
func operation(err error) (name string) {
	visit(err, func(err error) bool {
		inner := errors.Unwrap(err)
		if isNil(err) || inner == nil {
			return true
		}
		own, _ := strings.CutSuffix(err.Error(), ": "+inner.Error())
		if m := txnWords.FindStringSubmatch(own); m != nil {
			name = m[2]
		}
		return name == ""
	})
	return name
}

// statementOf returns the verb and the table of the statement of package owner that
// failed.
func statementOf(err error) (verb, table string) {
	visit(err, func(err error) bool {
		if s, ok := err.(interface{ Statement() (verb, table string) }); ok && !isNil(err) {
			verb, table = s.Statement()
		}
		return verb == ""
	})
	return verb, table
}

// messageForLog returns the message of an error of class 42. That class is about the
// application's own SQL, so the message has names of the schema and no values. An
// error without a position in a statement is not about its text and may contain a
// name from a client. A message that a function raises may hold anything.
func messageForLog(pe *pgconn.PgError) string {
	if len(pe.Code) != 5 || pe.Code[:2] != "42" || pe.Routine == "" || strings.Contains(pe.Routine, "raise") || pe.Code == stateSyntax && !ofSQL(pe) {
		return ""
	}
	message := literals.ReplaceAllString(pe.Message, "'…'")
	if pe.Position == 0 && pe.InternalPosition == 0 && pe.Code != statePrivilege && !ofSQL(pe) && path.Ext(pe.File) != ".go" {
		message = names.ReplaceAllString(message, `"…"`)
	}
	return message
}

var (
	literals = regexp.MustCompile(`'[^']*'`)
	names    = regexp.MustCompile(`"[^"]*"`)
)

// redact removes passwords, and all of a URL but its scheme and host, from a text for
// the log: paths and queries too often contain keys.
func redact(text string) string {
	text = unparsed.ReplaceAllString(text, `parse "…"`) // it quotes a part of the URL
	text = secrets.ReplaceAllString(text, "$1$2…")
	var b strings.Builder
	for {
		i := strings.Index(text, "://")
		if i < 0 {
			break
		}
		start := i
		for start > 0 && strings.IndexByte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-", text[start-1]) >= 0 {
			start--
		}
		end := i + 3 + endOfURL(text[i+3:], start > 0 && text[start-1] == '"')
		b.WriteString(text[:i+3])
		if rest := text[i+3 : end]; !strings.Contains(rest, "@") {
			host, more, _ := cutAny(rest, "/?#")
			b.WriteString(host)
			if more == "" {
				text = text[end:]
				continue
			}
		}
		b.WriteString("…")
		text = text[end:]
	}
	b.WriteString(text)
	return b.String()
}

var unparsed = regexp.MustCompile(`parse "(?:[^"\\]|\\.)*": [^\n]*`)

var secrets = regexp.MustCompile(`(?i)([a-z_-]*(?:password|passwd|pwd|secret|token|api[_-]?key|authorization))(["']?\s*[=:]\s*)` +
	`(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:(?:bearer|basic) +)?[^\s&;,]+)`)

// endOfURL returns the length of the rest of a URL. A URL with a password extends to
// the last @ of its line, since a password may hold anything.
func endOfURL(rest string, quoted bool) int {
	if quoted {
		for i := 0; i < len(rest); i++ {
			switch rest[i] {
			case '\\':
				i++
			case '"':
				return i
			}
		}
	}
	line, _, _ := strings.Cut(rest, "\n")
	from := strings.LastIndexByte(line, '@') + 1
	if n := strings.IndexAny(rest[from:], " \t\n\"'`<>"); n >= 0 {
		return from + n
	}
	return len(rest)
}

func cutAny(s, any string) (before, after string, found bool) {
	if i := strings.IndexAny(s, any); i >= 0 {
		return s[:i], s[i:], true
	}
	return s, "", false
}
