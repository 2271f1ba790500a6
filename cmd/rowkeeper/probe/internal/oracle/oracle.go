// Package oracle compares what an owner reads before and after something happened.
//
// It sees only what the owner's own reads show: a change that no read shows is none.
package oracle

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A State holds the simple values of what was read, by place: the read and a pointer
// into its answer. Items of lists are found by their id.
type State map[string]string

// Add puts an answer into the state.
func (s State) Add(read string, status int, body any) {
	if status/100 != 2 {
		s[read+" status"] = strconv.Itoa(status)
		return
	}
	s.flatten(read+" ", body, 16)
}

func (s State) flatten(at string, v any, depth int) {
	if depth == 0 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			s.flatten(at+"/"+name, member, depth-1)
		}
	case []any:
		s[at+"/#"] = strconv.Itoa(len(v))
		for i, item := range v {
			s.flatten(at+"/"+cmp.Or(identity(item), strconv.Itoa(i)), item, depth-1)
		}
	default:
		text, err := json.Marshal(v)
		if err == nil {
			s[at] = string(text)
		}
	}
}

func identity(item any) string {
	o, _ := item.(map[string]any)
	for _, name := range []string{"id", "uuid", "_id"} {
		switch id := o[name].(type) {
		case string:
			return id
		case json.Number:
			return id.String()
		}
	}
	return ""
}

// A Change is a value that differs.
type Change struct {
	Place    string
	From, To string // JSON, or "" if there is none
}

// String describes the change.
func (c Change) String() string {
	show := func(v string) string {
		if v == "" {
			return "nothing"
		}
		return v
	}
	return fmt.Sprintf("%s: %s became %s", c.Place, show(c.From), show(c.To))
}

// Diff returns what differs, in order, beside places that change by themselves.
func Diff(before, after State, volatile map[string]bool) []Change {
	var changes []Change
	places := map[string]bool{}
	for place := range before {
		places[place] = true
	}
	for place := range after {
		places[place] = true
	}
	for _, place := range slices.Sorted(maps.Keys(places)) {
		if before[place] != after[place] && !volatile[Leaf(place)] {
			changes = append(changes, Change{place, before[place], after[place]})
		}
	}
	return changes
}

// Leaf returns the last part of a place: the name of the member.
func Leaf(place string) string { return place[strings.LastIndexByte(place, '/')+1:] }

// Number returns the number at a place.
func (s State) Number(place string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.Trim(s[place], `"`), 64)
	return n, err == nil
}

// Deltas returns by how much each number changed that both states have.
func Deltas(before, after State) map[string]float64 {
	deltas := map[string]float64{}
	for place := range before {
		from, ok1 := before.Number(place)
		to, ok2 := after.Number(place)
		if ok1 && ok2 && from != to && !strings.HasSuffix(place, "/#") {
			deltas[place] = to - from
		}
	}
	return deltas
}
