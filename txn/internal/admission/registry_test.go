package admission

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The queues of a pool are freed with it.
func TestRegistryDoesNotKeepThePool(t *testing.T) {
	t.Parallel()
	type pool struct{ _ [64]byte }
	var r Registry[pool]
	has := func(s *Queues) bool {
		for _, v := range *r.queues.Load() {
			if v == s {
				return true
			}
		}
		return false
	}
	connections := func() int { return 4 }
	s := func() *Queues {
		p := new(pool)
		require.Same(t, r.Of(p, connections), r.Of(p, connections))
		require.NotSame(t, r.Of(p, connections), r.Of(new(pool), connections))
		return r.Of(p, connections)
	}()
	conflictOn(s, 1)
	require.True(t, has(s))
	require.Eventually(t, func() bool { runtime.GC(); return !has(s) }, 2*time.Minute, 10*time.Millisecond)
	require.Equal(t, Stats{}, s.Stats())
}
