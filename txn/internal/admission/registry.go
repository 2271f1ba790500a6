package admission

import (
	"runtime"
	"sync"
	"sync/atomic"
	"weak"
)

// A Registry maps each pool to its queues without keeping the pool alive. The zero
// value is ready to use.
type Registry[P any] struct {
	queues atomic.Pointer[map[weak.Pointer[P]]*Queues] // replaced on change, so reading it takes no lock
	mu     sync.Mutex                                  // of what replaces it
}

// Of returns the queues of a pool, which it makes with [New] on the first call.
func (r *Registry[P]) Of(pool *P, connections func() int) *Queues {
	key := weak.Make(pool)
	if m := r.queues.Load(); m != nil && (*m)[key] != nil {
		return (*m)[key]
	}
	made := New(connections())
	return r.change(func(m map[weak.Pointer[P]]*Queues) *Queues {
		if m[key] != nil {
			return m[key]
		}
		m[key] = made
		runtime.AddCleanup(pool, r.drop, key)
		return made
	})
}

func (r *Registry[P]) change(change func(map[weak.Pointer[P]]*Queues) *Queues) *Queues {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := make(map[weak.Pointer[P]]*Queues)
	if m := r.queues.Load(); m != nil {
		for k, v := range *m {
			next[k] = v
		}
	}
	q := change(next)
	r.queues.Store(&next)
	return q
}

func (r *Registry[P]) drop(key weak.Pointer[P]) {
	r.change(func(m map[weak.Pointer[P]]*Queues) *Queues {
		if q := m[key]; q != nil {
			q.close()
			delete(m, key)
		}
		return nil
	})
}
