// Package interleave tests package owner with two concurrent connections: one gives
// rows away while the other reads and writes them for their previous owner. It
// contains only tests:
//
//	go test ./owner/internal/interleave -schedules 20000
package interleave
