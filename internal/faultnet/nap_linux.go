package faultnet

import (
	"runtime"
	"syscall"
	"time"
)

// slack is how much later than asked Linux wakes a thread by default, with
// some room.
const slack = 70 * time.Microsecond

// nap sleeps for about d. Go's timers are rounded up to whole milliseconds
// when the process is idle, which would double a round trip of one.
func nap(d time.Duration) {
	if d <= slack {
		runtime.Gosched()
		return
	}
	ts := syscall.NsecToTimespec(int64(d - slack))
	_ = syscall.Nanosleep(&ts, nil) // who asks looks at the clock again
}
