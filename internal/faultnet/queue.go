package faultnet

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// item is an event at the receiving end of one direction.
type item struct {
	op      op
	due     time.Time // zero: at once
	held    bool
	release <-chan struct{} // when held
	data    []byte
	cut     Cut
	done    chan struct{} // closed when cut, if there is one
}

type op uint8

const (
	opData op = iota
	opCut
	opSilence
	opFinish // the sender closed its side
	opReset  // the sender reset its side
)

// queue applies items in order. The goroutine that puts an item applies it if it is
// due at once and nothing is ahead of it, which saves a switch between goroutines;
// otherwise run does. Only one goroutine puts.
type queue struct {
	do   func(item)
	wake chan struct{}

	mu    sync.Mutex
	items []item
	busy  bool // run or put applies an item
	ended bool
}

func newQueue(do func(item)) *queue {
	return &queue{do: do, wake: make(chan struct{}, 1)}
}

// put takes an item. Its data may be reused afterwards.
func (q *queue) put(it item) {
	q.mu.Lock()
	if !q.busy && len(q.items) == 0 && !it.held && it.due.IsZero() {
		q.busy = true
		q.mu.Unlock()
		q.do(it)
		q.mu.Lock()
		q.busy = false
		q.mu.Unlock()
		return
	}
	it.data = bytes.Clone(it.data)
	q.items = append(q.items, it)
	q.mu.Unlock()
	q.signal()
}

// end reports that no more items will be put.
func (q *queue) end() {
	q.mu.Lock()
	q.ended = true
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// run applies items until the end, or until done.
func (q *queue) run(done context.Context) {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			it := q.items[0]
			q.items[0] = item{} // releases the data
			q.items = q.items[1:]
			q.busy = true
			q.mu.Unlock()
			if it.await(done) {
				q.do(it)
			}
			q.mu.Lock()
			q.busy = false
			q.mu.Unlock()
			continue
		}
		ended := q.ended
		q.mu.Unlock()
		if ended {
			return
		}
		select {
		case <-q.wake:
		case <-done.Done():
			return
		}
	}
}

// await returns when the item is due and released, or false when done.
func (it item) await(done context.Context) bool {
	if it.held {
		select {
		case <-it.release:
		case <-done.Done():
		}
	}
	const coarse = 2 * time.Millisecond // the delay of a timer, and no more than Close should wait
	for !it.due.IsZero() && done.Err() == nil {
		left := time.Until(it.due)
		switch {
		case left <= 0:
			return true
		case left <= coarse:
			nap(left)
		default:
			select {
			case <-time.After(left - coarse):
			case <-done.Done():
			}
		}
	}
	return done.Err() == nil
}
