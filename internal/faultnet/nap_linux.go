package faultnet

import (
	"runtime"
	"syscall"
	"time"
)

// slack is the time by which Linux wakes a thread later than asked by default, with
// a margin.
const slack = 70 * time.Microsecond

// nap sleeps for about d. Go's timers are rounded up to whole milliseconds
// when the process is idle, which would double a round trip of one.
func nap(d time.Duration) {
	if d <= slack {
		runtime.Gosched()
		return
	}
	ts := syscall.NsecToTimespec(int64(d - slack))
	_ = syscall.Nanosleep(&ts, nil) // the caller looks at the clock again
}
