package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// suite is one comparison. Each has a file of its own, and an entry in suites.
type suite interface {
	name() string
	about() string

	// register adds the flags that only this suite has.
	register(flags *flag.FlagSet)

	// network returns a pointer to the suite's round-trip times, at first its
	// default. One flag sets those of all suites.
	network() *delays

	// run measures on one engine, and calls step before each part.
	run(ctx context.Context, b *fixture, step func(string)) (report, error)
}

// report has the results of a suite on one engine. It is also encoded as JSON.
type report interface {
	write(w io.Writer) error
}

var suites = []suite{newRTTSuite(), newHotSuite(), newBuildSuite()}

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

// registerDelays adds the flag that all suites share.
func registerDelays(flags *flag.FlagSet, suites []suite) {
	var defaults []string
	for _, s := range suites {
		defaults = append(defaults, fmt.Sprintf("%s: %s", s.name(), s.network()))
	}
	usage := fmt.Sprintf("round-trip `times` of the network, divided by commas (default %s)", strings.Join(defaults, "; "))
	flags.Func("delays", usage, func(text string) error {
		for _, s := range suites {
			if err := s.network().Set(text); err != nil {
				return err
			}
		}
		return nil
	})
}

// delays are round-trip times.
type delays []time.Duration

func (d delays) String() string { return joined(d, time.Duration.String) }

func (d *delays) Set(text string) (err error) {
	*d, err = listed(text, func(part string) (time.Duration, error) {
		delay, err := time.ParseDuration(part)
		if err == nil && delay < 0 {
			err = errors.New("must not be negative")
		}
		return delay, err
	})
	return err
}

// listed splits a list at commas, and refuses duplicates.
func listed[T comparable](text string, parse func(string) (T, error)) (list []T, err error) {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		value, err := parse(part)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%q: %w", part, err)
		case slices.Contains(list, value):
			return nil, fmt.Errorf("%q is there twice", part)
		}
		list = append(list, value)
	}
	return list, nil
}

func joined[T any](list []T, name func(T) string) string {
	var parts []string
	for _, value := range list {
		parts = append(parts, name(value))
	}
	return strings.Join(parts, ",")
}
