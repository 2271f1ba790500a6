package core

import (
	"math/bits"
	"reflect"
	"slices"
	"unsafe"
)

// fkTargets holds the keys at which rows point in one parent.
type fkTargets struct {
	parent *Table
	keys   [][]any
	seen   map[any]bool
}

// fkTargets returns the parents in the order of the declaration, so the text of the
// statement depends on which parents there are and not on which row comes first.
func (t *Table) fkTargets(rows []unsafe.Pointer) []*fkTargets {
	var all []*fkTargets
	of := func(parent *Table) *fkTargets {
		i := slices.IndexFunc(all, func(p *fkTargets) bool { return p.parent == parent })
		if i < 0 {
			i = len(all)
			all = append(all, &fkTargets{parent: parent, seen: map[any]bool{}})
		}
		return all[i]
	}
	if t.Through != nil {
		of(t.Through)
	}
	for _, r := range t.References {
		of(r.Parent)
	}
	if len(all) == 0 {
		return nil
	}
	for _, row := range rows {
		for _, p := range t.fkChecks(row) {
			of(p.parent).add(p.args)
		}
	}
	all = slices.DeleteFunc(all, func(p *fkTargets) bool { return len(p.keys) == 0 })
	for _, p := range all {
		p.pad()
	}
	return all
}

// add adds a key, unless it can be compared and is present already.
func (p *fkTargets) add(key []any) {
	var of any
	for _, arg := range key {
		v := reflect.ValueOf(arg)
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		if !v.IsValid() || !v.Comparable() {
			p.keys = append(p.keys, key)
			return
		}
		of = [2]any{of, v.Interface()}
	}
	if !p.seen[of] {
		p.seen[of] = true
		p.keys = append(p.keys, key)
	}
}

// pad repeats the last key up to a power of two; see membership.
func (p *fkTargets) pad() {
	last := p.keys[len(p.keys)-1]
	if size := 1 << bits.Len(uint(len(p.keys)-1)); size <= maxPadded {
		for range size - len(p.keys) {
			p.keys = append(p.keys, last)
		}
	}
}
