package client

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// secrets are texts that no evidence may contain.
type secrets struct{ all []string }

// Secret makes a text unprintable in evidence from now on.
func (c *Client) Secret(text string) {
	if len(text) >= 4 && !slices.Contains(c.secrets.all, text) {
		c.secrets.all = append(c.secrets.all, text)
		// The longest first, so that no rest of one remains.
		slices.SortFunc(c.secrets.all, func(a, b string) int { return len(b) - len(a) })
	}
}

// Secrets returns the texts that were given to Secret.
func (c *Client) Secrets() []string { return c.secrets.all }

// Evidence describes an exchange.
func (c *Client) Evidence(r Request, resp *Response) finding.Evidence {
	text := fmt.Sprintf("%s: %s %s", r.Who, r.Method, r.Target)
	if len(r.Body) > 0 {
		text += " " + c.shown(r.Body)
	}
	if resp != nil {
		text += fmt.Sprintf("\n%d %s", resp.Status, c.shown(resp.Body))
	}
	return finding.Evidence{Kind: finding.Exchange, Text: c.Clean(strings.TrimSpace(text))}
}

// Clean removes the secrets from a text.
func (c *Client) Clean(text string) string {
	for _, s := range c.secrets.all {
		text = strings.ReplaceAll(text, s, "[secret]")
		if quoted, err := json.Marshal(s); err == nil {
			text = strings.ReplaceAll(text, string(quoted[1:len(quoted)-1]), "[secret]")
		}
		text = strings.ReplaceAll(text, url.QueryEscape(s), "[secret]")
	}
	return text
}

const maxShown = 400 // bytes of a body

var secretMember = regexp.MustCompile(`(?i)("[a-z_-]*(?:password|passwd|secret|token|api_?key|hash|otp|pin)[a-z_-]*"\s*:\s*)"(?:[^"\\]|\\.)*"?`)

// shown returns the beginning of a body, without values of members that sound secret.
func (c *Client) shown(body []byte) string {
	text := strings.ToValidUTF8(string(body), "\uFFFD")
	text = c.Clean(secretMember.ReplaceAllString(text, `$1"[removed]"`))
	text = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
	if len(text) <= maxShown {
		return strings.TrimSpace(text)
	}
	cut := maxShown
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
