package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// tally counts the results of operations of one kind.
type tally struct {
	calls, refused, statements      int // refused, as expected, before anything was sent
	postgresql, cockroachdb, proven int
	executed                        map[string]int // calls, by engine
}

// report has the tallies by kind.
type report map[string]*tally

func (r report) of(kind string) *tally {
	if r[kind] == nil {
		r[kind] = &tally{executed: map[string]int{}}
	}
	return r[kind]
}

func (t *tally) add(o *tally) {
	t.calls += o.calls
	t.refused += o.refused
	t.statements += o.statements
	t.postgresql += o.postgresql
	t.cockroachdb += o.cockroachdb
	t.proven += o.proven
	for engine, n := range o.executed {
		t.executed[engine] += n
	}
}

func (r report) add(o report) {
	for kind, t := range o {
		r.of(kind).add(t)
	}
}

func (r report) total() *tally {
	sum := report{}.of("")
	for _, t := range r {
		sum.add(t)
	}
	return sum
}

func (r report) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	engines := slices.Sorted(maps.Keys(r.total().executed))
	fmt.Fprint(w, "\tcalls\trefused\tstatements\tparsed: PostgreSQL\tCockroachDB\tproven\t")
	for _, e := range engines {
		fmt.Fprintf(w, "executed: %s\t", e)
	}
	fmt.Fprintln(w)
	line := func(kind string, t *tally) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t", kind, t.calls, t.refused, t.statements, t.postgresql, t.cockroachdb, t.proven)
		for _, e := range engines {
			fmt.Fprintf(w, "%d\t", t.executed[e])
		}
		fmt.Fprintln(w)
	}
	for _, kind := range slices.Sorted(maps.Keys(r)) {
		line(kind, r[kind])
	}
	line("total", r.total())
	w.Flush()
}
