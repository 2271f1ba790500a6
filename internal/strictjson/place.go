package strictjson

import (
	"strconv"
	"strings"
)

// place is the walker's position. It is written out only for a fault, because a
// body may have many positions with long names.
type place struct {
	parent *place
	named  bool // a member of an object, or else an item of an array
	name   []byte
	index  int
}

// pointerMax bounds the part of a client's names that is sent back to it, and
// logged.
const pointerMax = 512

// pointer names the place or, if that is too long, one around it.
func (p *place) pointer() string {
	at, _ := p.render()
	return at
}

func (p *place) render() (at string, whole bool) {
	if p == nil {
		return "", true
	}
	before, whole := p.parent.render()
	name := strconv.Itoa(p.index)
	if p.named {
		name = escape.Replace(string(p.name))
	}
	if !whole || len(before)+1+len(name) > pointerMax {
		return before, false
	}
	return before + "/" + name, true
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// Pointer returns the JSON Pointer (RFC 6901) to a member of nested objects or, if
// that is long, to an object around it.
func Pointer(names ...string) string { return placeOf(names).pointer() }

func placeOf(names []string) (at *place) {
	for _, name := range names {
		at = &place{parent: at, named: true, name: []byte(name)}
	}
	return at
}

// members remembers the names in an object.
type members struct {
	few  [8][]byte
	n    int
	many map[string]bool
}

// add reports whether the name was there already.
func (m *members) add(name []byte) (twice bool) {
	if m.many != nil {
		twice = m.many[string(name)]
		m.many[string(name)] = true
		return twice
	}
	for _, known := range m.few[:m.n] {
		if string(known) == string(name) {
			return true
		}
	}
	if m.n < len(m.few) {
		m.few[m.n] = name
		m.n++
		return false
	}
	m.many = map[string]bool{string(name): true}
	for _, known := range m.few {
		m.many[string(known)] = true
	}
	return false
}
