// Package canary makes texts that nothing else contains, and finds them, and the ids of
// objects, in what a service answers.
package canary

import (
	"crypto/rand"
	"encoding/json"
	"strings"
)

// A Mint makes marks of one principal in one run.
type Mint struct{ prefix string }

// NewMint returns a mint whose marks contain no mark of another.
func NewMint() *Mint {
	return &Mint{prefix: "rk" + strings.ToLower(rand.Text()[:8])}
}

// New returns a mark: 16 letters and digits, of which the last 6 are new.
func (m *Mint) New() string { return m.prefix + strings.ToLower(rand.Text()[:6]) }

// In reports whether a text has a mark of this mint.
func (m *Mint) In(text []byte) bool { return strings.Contains(string(text), m.prefix) }

// Long reports whether an id is so long and irregular that nobody meets it by chance.
func Long(id string) bool {
	digits := strings.Trim(id, "0123456789")
	return len(id) >= 16 && digits != ""
}

// HasID reports whether a decoded JSON value contains the text as a whole string.
func HasID(v any, id string) bool {
	switch v := v.(type) {
	case string:
		return v == id || strings.HasSuffix(v, "/"+id)
	case []any:
		for _, item := range v {
			if HasID(item, id) {
				return true
			}
		}
	case map[string]any:
		for _, item := range v {
			if HasID(item, id) {
				return true
			}
		}
	}
	return false
}

// HasObject reports whether a decoded JSON value contains an object that has all the
// members of a sample, which must have at least three simple ones.
func HasObject(v any, sample map[string]any) bool {
	simple := map[string]any{}
	for name, member := range sample {
		switch member.(type) {
		case string, json.Number, bool:
			simple[name] = member
		}
	}
	return len(simple) >= 3 && hasAll(v, simple)
}

func hasAll(v any, members map[string]any) bool {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if hasAll(item, members) {
				return true
			}
		}
	case map[string]any:
		all := true
		for name, member := range members {
			if v[name] != member {
				all = false
				break
			}
		}
		if all {
			return true
		}
		for _, item := range v {
			if hasAll(item, members) {
				return true
			}
		}
	}
	return false
}
