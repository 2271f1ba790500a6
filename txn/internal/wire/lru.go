package wire

import "container/list"

// lru holds values by their keys, and forgets the least recently used first. The zero
// value holds none.
//
// The list has an entry for each key of the map, the most recently used first.
type lru[K comparable, V any] struct {
	capacity int
	used     list.List
	byKey    map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

// get returns the value of a key, which then is the most recently used one.
func (c *lru[K, V]) get(key K) (value V, found bool) {
	e := c.byKey[key]
	if e == nil {
		return value, false
	}
	c.used.MoveToFront(e)
	return e.Value.(*entry[K, V]).value, true
}

// put keeps a value, and returns the one that it displaced, if any.
func (c *lru[K, V]) put(key K, value V) (displaced V, full bool) {
	c.remove(key)
	if c.capacity <= 0 {
		return displaced, false
	}
	if c.used.Len() >= c.capacity {
		displaced, full = c.removeOldest()
	}
	if c.byKey == nil {
		c.byKey = make(map[K]*list.Element)
	}
	c.byKey[key] = c.used.PushFront(&entry[K, V]{key, value})
	return displaced, full
}

func (c *lru[K, V]) remove(key K) (value V, found bool) {
	e := c.byKey[key]
	if e == nil {
		return value, false
	}
	delete(c.byKey, key)
	return c.used.Remove(e).(*entry[K, V]).value, true
}

func (c *lru[K, V]) removeOldest() (value V, found bool) {
	e := c.used.Back()
	if e == nil {
		return value, false
	}
	return c.remove(e.Value.(*entry[K, V]).key)
}
