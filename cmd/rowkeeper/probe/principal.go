package probe

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"os/exec"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/canary"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
)

// A principal is one of the two users of a run.
type principal struct {
	name   string
	how    config.Credential
	header http.Header // its credential
	mint   *canary.Mint
	self   string // its own id, if a read tells it, or ""
	number int    // 0 or 1
}

var errRefused = errors.New("the credentials were refused")

// login gets the credential of a principal.
func (r *run) login(p *principal) error {
	header := http.Header{}
	for name, value := range p.how.Header {
		header.Set(name, value)
	}
	switch {
	case p.how.Exec != nil:
		if err := execHeaders(r.ctx, p.how.Exec, header); err != nil {
			return fmt.Errorf("as %s: %w", p.name, err)
		}
	case p.how.Login != nil:
		if err := r.token(p, header); err != nil {
			return fmt.Errorf("as %s: %w", p.name, err)
		}
	}
	p.header = header
	for _, values := range header {
		for _, v := range values {
			r.c.Secret(v)
			if _, token, ok := strings.Cut(v, " "); ok {
				r.c.Secret(token)
			}
		}
	}
	return nil
}

// register makes the principal's account, if that is configured. One that exists is not
// an error: logging in tells.
func (r *run) register(p *principal) error {
	if p.how.Register == nil {
		return nil
	}
	_, err := r.loginRequest(p, p.how.Register)
	return err
}

func (r *run) token(p *principal, header http.Header) error {
	l := p.how.Login
	resp, err := r.loginRequest(p, l)
	if err != nil {
		return err
	}
	if !resp.OK() {
		return fmt.Errorf("%s answered %d: %w", l.Operation, resp.Status, errRefused)
	}
	pointer := l.Token
	if pointer == "" {
		pointer = "/access_token"
	}
	token, ok := at(resp.JSON, pointer).(string)
	if !ok || token == "" {
		return fmt.Errorf("the answer of %s has no text at %s", l.Operation, pointer)
	}
	r.c.Secret(token)
	template := l.Header
	if template == "" {
		template = "Authorization: Bearer {token}"
	}
	name, value, _ := strings.Cut(template, ":")
	header.Set(strings.TrimSpace(name), strings.ReplaceAll(strings.TrimSpace(value), "{token}", token))
	return nil
}

func (r *run) loginRequest(p *principal, l *config.Login) (*client.Response, error) {
	method, path, ok := strings.Cut(l.Operation, " ")
	if !ok {
		return nil, fmt.Errorf("%q: an operation is like %q", l.Operation, "POST /login")
	}
	req := client.Request{Who: p.name, Method: strings.ToUpper(method), Target: path, Header: http.Header{}}
	for _, values := range []map[string]any{l.Body, anyMap(l.Form)} {
		for name, v := range values {
			if text, ok := v.(string); ok && secretName(name) {
				r.c.Secret(text)
			}
		}
	}
	if l.Form != nil {
		form := url.Values{}
		for name, v := range l.Form {
			form.Set(name, v)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Body = []byte(form.Encode())
	} else {
		body, err := json.Marshal(l.Body)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Body = body
	}
	r.logins[req.Method+" "+path] = true
	return r.c.Do(r.ctx, req)
}

func anyMap(m map[string]string) map[string]any {
	all := make(map[string]any, len(m))
	for k, v := range m {
		all[k] = v
	}
	return all
}

// execHeaders runs a command that prints headers.
func execHeaders(ctx context.Context, command []string, header http.Header) error {
	if len(command) == 0 {
		return errors.New("exec names no command")
	}
	// The command is the user's own configuration.
	out, err := exec.CommandContext(ctx, command[0], command[1:]...).Output()
	if err != nil {
		return fmt.Errorf("exec %s: %w", command[0], err)
	}
	for line := range strings.Lines(string(out)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			header.Set(textproto.TrimString(name), textproto.TrimString(value))
		}
	}
	return nil
}

// refreshable reports whether a credential that ran out can be got again.
func (p *principal) refreshable() bool { return p.how.Exec != nil || p.how.Login != nil }

// A spoil is a credential that is not quite the right one.
type spoil struct {
	kind   string
	header http.Header
}

// spoiled returns forms of the principal's credential that a service must refuse.
func (p *principal) spoiled() []spoil {
	list := []spoil{{"no credential", http.Header{}}}
	for _, kind := range []struct {
		name string
		edit func(string) string
	}{
		{"a credential with one other character near its end", otherEnd},
		{"the beginning of the credential", func(s string) string { return s[:len(s)-max(1, len(s)/4)] }},
		{"the credential with more at its end", func(s string) string { return s + "x7" }},
	} {
		header := p.header.Clone()
		for name, values := range header {
			header[name] = []string{editToken(values[0], kind.edit)}
		}
		list = append(list, spoil{kind.name, header})
	}
	return list
}

// editToken edits the token of a header's value, or the password of Basic.
func editToken(value string, edit func(string) string) string {
	scheme, token, ok := strings.Cut(value, " ")
	if !ok {
		scheme, token = "", value
	} else {
		scheme += " "
	}
	if len(token) < 4 {
		return value + "x7"
	}
	if strings.EqualFold(scheme, "Basic ") {
		if plain, err := base64.StdEncoding.DecodeString(token); err == nil && len(plain) > 3 {
			return scheme + base64.StdEncoding.EncodeToString([]byte(edit(string(plain))))
		}
	}
	return scheme + edit(token)
}

// otherEnd changes the last but one letter or digit. The last one may hold bits that
// base64 does not use.
func otherEnd(token string) string {
	seen := 0
	for i := len(token) - 1; i > 0; i-- {
		c := token[i]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			if seen++; seen == 2 {
				other := byte('a')
				if c == 'a' {
					other = 'b'
				}
				return token[:i] + string(other) + token[i+1:]
			}
		}
	}
	return token + "x7"
}

// at returns the value at a JSON Pointer, or nil.
func at(v any, pointer string) any {
	for _, token := range oas.Tokens(pointer) {
		switch parent := v.(type) {
		case map[string]any:
			v = parent[token]
		case []any:
			if len(parent) == 0 {
				return nil
			}
			v = parent[0]
		default:
			return nil
		}
	}
	return v
}
