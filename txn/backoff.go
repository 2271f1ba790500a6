package txn

import (
	"math/rand/v2"
	"time"
)

type backoff struct{ base, max time.Duration }

// delay returns the wait after the given number of failed attempts.
func (b backoff) delay(failed int) time.Duration {
	if failed < 2 {
		return 0
	}
	ceiling := b.max
	if shift := failed - 2; shift < 63 {
		if d := b.base << shift; d>>shift == b.base && d < b.max {
			ceiling = d
		}
	}
	return rand.N(ceiling)
}
