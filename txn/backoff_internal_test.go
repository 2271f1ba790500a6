package txn

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBackoffIsFullJitterUnderACeiling(t *testing.T) {
	t.Parallel()
	b := backoff{base: time.Millisecond, max: 10 * time.Millisecond}
	require.Zero(t, b.delay(1), "the first retry comes at once")
	for failed, ceiling := range map[int]time.Duration{2: 1, 3: 2, 4: 4, 5: 8, 6: 10, 70: 10, 1000: 10} {
		longest := time.Duration(0)
		for range 2000 {
			d := b.delay(failed)
			require.GreaterOrEqual(t, d, time.Duration(0))
			require.LessOrEqual(t, d, ceiling*time.Millisecond)
			longest = max(longest, d)
		}
		require.Greater(t, longest, ceiling*time.Millisecond/2, "failed %d", failed)
	}
	huge := backoff{base: 1<<63 - 1, max: 1<<63 - 1}
	for failed := range 200 {
		require.GreaterOrEqual(t, huge.delay(failed), time.Duration(0))
	}
}
