package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// Both grammars prove the statements built from hostile input.
func TestProve(t *testing.T) {
	t.Parallel()
	p := newProving(seeded(1, 1))
	n := 10000
	if testing.Short() {
		n = 3000
	}
	for range n {
		_, err := p.step()
		require.NoError(t, err)
	}
	p.report.print(t.Output())
	for kind, sent := range p.report {
		if slices.Contains([]string{"unscoped", "foreign cursor", "view foreign cursor", "view get"}, kind) {
			require.Equal(t, sent.calls, sent.refused)
			continue
		}
		require.Greater(t, sent.calls-sent.refused, sent.calls/5, "most of what is built as %s is refused", kind)
	}
}

// Executed statements do what the oracle predicts, and nothing to the rows of
// others.
func TestExecute(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		x, err := newExecution(t.Context(), seeded(1, 2), db.Pool, db.Engine)
		require.NoError(t, err)
		n := 2000
		if testing.Short() {
			n = 600
		}
		for range n {
			require.NoError(t, x.step(t.Context()))
		}
		x.report.print(t.Output())
	})
}

// FuzzProve takes bytes for a program of calls.
func FuzzProve(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(8) {
		s := seeded(seed, 4)
		program := make([]byte, 400)
		for i := range program {
			program[i] = byte(s.n(256))
		}
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		s := &source{bytes: program, fuzz: true}
		p := newProving(s)
		for len(s.bytes) > 0 {
			_, err := p.step()
			require.NoError(t, err)
		}
	})
}
