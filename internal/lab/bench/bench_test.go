package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestMain(m *testing.M) {
	if is, err := isHotProcess(os.Args[1:], os.Stdin, os.Stdout); is {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// With the race detector a process sleeps for a second before it ends, and
	// the suite hot has one for each line.
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	dbtest.Main(m)
}

func fixtureOn(t testing.TB, db *dbtest.DB) *fixture {
	t.Helper()
	b, err := newFixture(t.Context(), db.URL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.close(t.Context())) })
	return b
}

// BenchmarkTransaction is for benchstat: the names have keys, so that -col /library
// compares the libraries, and -count provides the samples. It connects to the
// database directly, on the preferred engine.
func BenchmarkTransaction(b *testing.B) {
	fixture := fixtureOn(b, dbtest.First(b))
	clients, err := connectAll(b.Context(), fixture, fixture.direct)
	require.NoError(b, err)
	defer clients.close()
	for _, c := range clients {
		b.Run("library="+c.key, func(b *testing.B) {
			for i, run := range c.run {
				if run == nil {
					continue
				}
				b.Run("body="+body(i).String(), func(b *testing.B) {
					a, err := fixture.open(b.Context())
					require.NoError(b, err)
					b.ReportAllocs()
					for b.Loop() {
						if err := run(b.Context(), a.id); err != nil {
							b.Fatal(err)
						}
					}
					require.NoError(b, fixture.check(b.Context(), a, b.N))
				})
			}
		})
	}
}
