// Package interleave tries package owner with two sessions at once: one gives rows
// away while the other, of the owner so far, reads and writes them. It has tests
// only:
//
//	go test ./owner/internal/interleave -schedules 20000
package interleave
