package main

import (
	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

// addSharedField is addField for a shared table.
func addSharedField[R, V any](e *entity[R, struct{}], t *owner.SharedTable[R], sqlOf string, at func(*R) *V, draw func(*source) V) int {
	return addColumn(e, owner.Column(t, at), sqlOf, at, draw)
}

func (e *entity[R, O]) registerShared(t *owner.SharedTable[R]) {
	shared, ok := any(e).(*entity[R, struct{}])
	if !ok {
		panic("a shared table has no owner")
	}
	e.w.ops = append(e.w.ops, shared.reads(func(*source, actor) owner.Select[R, struct{}] { return t.Select })...)
	e.w.ops = append(e.w.ops, readings(func(_ *source, who actor) reading[R, struct{}] {
		return reading[R, struct{}]{
			e: shared, who: who, claim: e.claim(prove.Read, who), key: shared.keyFields(),
			in: func(actor) owner.Select[R, struct{}] { return t.Select },
		}
	})...)
}
