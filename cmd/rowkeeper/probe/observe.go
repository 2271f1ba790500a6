package probe

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

// The rules that look at every answer of the run remember what they saw here, because
// their findings are made at the end.

// A leak is something that an answer should not have shown.
type leak struct {
	rule       *finding.Rule
	severity   finding.Severity
	confidence finding.Confidence
	action     *plan.Action
	property   string
	message    string
	evidence   finding.Evidence
}

// observe looks at one exchange. It does not belong to a draft, so that answers in races
// are seen too.
func (r *run) observe(req client.Request, resp *client.Response) {
	if r.plan == nil {
		return
	}
	a := r.actionOf(req)
	if a == nil {
		return
	}
	if kind, severity := r.internals(resp.Body); kind != "" {
		r.see(leak{errorLeak, severity, finding.Proved, a, kind, fmt.Sprintf("%s answers with %s.", a, kind), finding.Evidence{}}, req, resp)
	}
	if r.succeeded(a, resp) {
		r.observeFields(a, req, resp)
	}
}

func (r *run) see(l leak, req client.Request, resp *client.Response) {
	key := l.rule.ID + " " + l.action.String() + " " + l.property
	if r.passive[key] {
		return
	}
	r.passive[key] = true
	l.evidence = r.c.Evidence(req, resp)
	r.leaks = append(r.leaks, l)
}

// actionOf finds the action of a request by its path.
func (r *run) actionOf(req client.Request) *plan.Action {
	path, _, _ := strings.Cut(req.Target, "?")
	parts := strings.Split(path, "/")
	var best *plan.Action
	for _, a := range r.plan.Actions {
		if a.Method == req.Method && matches(strings.Split(a.Path, "/"), parts) && (best == nil || strings.Count(a.Path, "{") < strings.Count(best.Path, "{")) {
			best = a
		}
	}
	return best
}

func matches(pattern, parts []string) bool {
	if len(pattern) != len(parts) {
		return false
	}
	for i, p := range pattern {
		if p != parts[i] && !strings.HasPrefix(p, "{") {
			return false
		}
	}
	return true
}

// internal are texts of databases, drivers and run-time systems.
var internal = []struct {
	kind     string
	severity finding.Severity
	pattern  *regexp.Regexp
}{
	{"an error of the database", finding.High, regexp.MustCompile(
		`SQLSTATE|\bpq: |duplicate key value violates|violates (foreign key|check|unique|not-null) constraint|syntax error at or near|` +
			`relation "[^"]+" does not exist|column "[^"]+" (does not exist|of relation)|invalid input syntax for|value too long for type|` +
			`could not serialize access|deadlock detected|restart transaction: TransactionRetry|invalid byte sequence for encoding|` +
			`ORA-\d{5}|SQLITE_[A-Z]+|You have an error in your SQL syntax`)},
	{"the name of a database driver", finding.Medium, regexp.MustCompile(
		`org\.postgresql\.|psycopg2?\.|sqlalchemy\.|asyncpg\.|QueryFailedError|PrismaClient|SequelizeDatabaseError|jackc/pgx|lib/pq|org\.hibernate\.|java\.sql\.`)},
	{"a stack trace", finding.Medium, regexp.MustCompile(
		`goroutine \d+ \[|Traceback \(most recent call last\)|\bat [\w.$<>]+\([\w]+\.(java|kt|scala):\d+\)|\bat .{1,200}\.(js|ts):\d+:\d+|panic: runtime error`)},
	{"a path of the server", finding.Medium, regexp.MustCompile(
		`(/[\w.@-]+){2,}\.(go|py|rb|php|java):\d+|File "/[^"]+\.py"`)},
}

// internals returns what of its inside a body shows, or "".
func (r *run) internals(body []byte) (kind string, severity finding.Severity) {
	for _, i := range internal {
		if found := i.pattern.Find(body); found != nil && !r.doc.Mentions(string(found)) {
			return i.kind, i.severity
		}
	}
	if r.opts.Schema == nil {
		return "", 0
	}
	for _, t := range r.opts.Schema.Tables {
		for _, name := range t.Constraints {
			if len(name) >= 8 && strings.Contains(name, "_") && bytes.Contains(body, []byte(name)) && !r.doc.Mentions(name) {
				return "the name of a constraint", finding.Medium
			}
		}
	}
	return "", 0
}

// never are names that no response should have; seldom are names that only what makes a
// credential should show.
var (
	never  = regexp.MustCompile(`(?i)^(password|passwd|pwd|password_?hash|hashed_?password|pwd_?hash|pass_?hash|token_?hash|secret_?hash|key_?hash|password_?salt|salt|private_?key)$`)
	seldom = regexp.MustCompile(`(?i)^(token|access_?token|refresh_?token|api_?key|secret|client_?secret|otp|totp_?secret|reset_?token|session_?id|cvv|cvc|card_?number|pin)$`)
)

func secretName(name string) bool { return never.MatchString(name) || seldom.MatchString(name) }

// observeFields compares a successful answer with its schema.
func (r *run) observeFields(a *plan.Action, req client.Request, resp *client.Response) {
	declared := a.Response(fmt.Sprint(resp.Status))
	var s *oas.Schema
	if declared != nil {
		s = declared.Schema
	}
	r.observeValue(a, resp.JSON, s, "", 0, req, resp)
}

func (r *run) observeValue(a *plan.Action, v any, s *oas.Schema, at string, depth int, req client.Request, resp *client.Response) {
	if depth > 8 {
		return
	}
	switch v := v.(type) {
	case []any:
		var inner *oas.Schema
		if s != nil {
			inner = s.Items
		}
		for i, item := range v {
			if i < 3 {
				r.observeValue(a, item, inner, at+"/*", depth+1, req, resp)
			}
		}
	case map[string]any:
		for name, member := range v {
			where := at + "/" + name
			r.observeMember(a, name, member, s, where, req, resp)
			r.observeValue(a, member, s.Property(name), where, depth+1, req, resp)
		}
	}
}
