package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLRUForgetsTheLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	c := lru[string, int]{capacity: 2}
	put := func(key string, value int) (displaced int, full bool) { return c.put(key, value) }
	_, full := put("a", 1)
	require.False(t, full)
	_, full = put("b", 2)
	require.False(t, full)
	a, found := c.get("a")
	require.True(t, found)
	require.Equal(t, 1, a)

	displaced, full := put("c", 3)
	require.True(t, full)
	require.Equal(t, 2, displaced, "a was used since")
	_, found = c.get("b")
	require.False(t, found)

	_, full = put("a", 4)
	require.False(t, full, "it was there already")
	a, _ = c.get("a")
	require.Equal(t, 4, a)

	removed, found := c.remove("c")
	require.True(t, found)
	require.Equal(t, 3, removed)
	oldest, found := c.removeOldest()
	require.True(t, found)
	require.Equal(t, 4, oldest)
	_, found = c.removeOldest()
	require.False(t, found)
	require.Empty(t, c.byKey)
}

func TestLRUWithoutCapacityKeepsNothing(t *testing.T) {
	t.Parallel()
	var c lru[string, int]
	_, full := c.put("a", 1)
	require.False(t, full)
	_, found := c.get("a")
	require.False(t, found)
}
