package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

// suite is one comparison. Each has a file of its own, and a place in suites.
type suite interface {
	name() string
	about() string

	// register adds the flags that the suite alone has.
	register(flags *flag.FlagSet)

	// run measures on one engine, and calls step before each part of it.
	run(ctx context.Context, b *bed, step func(string)) (report, error)
}

// report is what a suite found on one engine. It is encoded as JSON, too.
type report interface {
	write(w io.Writer) error
}

var suites = []suite{&rttSuite{}}

func suiteNamed(name string) (suite, error) {
	for _, s := range suites {
		if s.name() == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no suite %q; there is %s", name, suiteNames())
}

func suiteNames() string {
	var names []string
	for _, s := range suites {
		names = append(names, s.name()+": "+s.about())
	}
	return strings.Join(names, "; ")
}
