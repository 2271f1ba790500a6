// Command bench compares Rowkeeper with other libraries, all of them in one run, on
// every database engine of the machine. Read its ratios rather than its times:
// within one run the machine's load affects all libraries alike.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
)

func main() {
	if is, err := isHotProcess(os.Args[1:], os.Stdin, os.Stdout); is {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// outcome is the output of -json.
type outcome struct {
	Suite   string         `json:"suite"`
	Go      string         `json:"go"`
	Engines []engineReport `json:"engines"`
}

type engineReport struct {
	Engine  devdb.Engine `json:"engine"`
	Version string       `json:"version"`
	Report  report       `json:"report"`
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	name := flags.String("suite", suites[0].name(), suiteNames())
	asJSON := flags.Bool("json", false, "print JSON instead of tables")
	engine := flags.String("engine", "", fmt.Sprintf("%s or %s (default: every one found)", devdb.PostgreSQL, devdb.CockroachDB))
	for _, s := range suites {
		s.register(flags)
	}
	registerDelays(flags, suites)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	s, err := suiteNamed(*name)
	if err != nil {
		return err
	}
	if *engine != "" {
		if err := os.Setenv(devdb.EnvEngine, *engine); err != nil {
			return err
		}
	}
	sources, err := devdb.Find()
	if err != nil {
		return err
	}
	result := outcome{Suite: s.name(), Go: runtime.Version()}
	for _, source := range sources {
		r, err := runOn(ctx, source, s)
		if err != nil {
			return fmt.Errorf("on %s: %w", source, err)
		}
		result.Engines = append(result.Engines, r)
		if !*asJSON {
			fmt.Fprintf(out, "%s %s\n\n", r.Engine, r.Version)
			if err := r.Report.write(out); err != nil {
				return err
			}
		}
	}
	if !*asJSON {
		return nil
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(result)
}

// runOn starts a database for one run of the suite.
func runOn(ctx context.Context, source devdb.Source, s suite) (_ engineReport, err error) {
	fmt.Fprintf(os.Stderr, "Starting %s …\n", source)
	server, err := source.Start(ctx)
	if err != nil {
		return engineReport{}, err
	}
	defer server.Stop()
	b, err := newFixture(ctx, server.URL)
	if err != nil {
		return engineReport{}, err
	}
	defer func() { err = errors.Join(err, b.close(ctx)) }()
	r, err := s.run(ctx, b, func(step string) { fmt.Fprintf(os.Stderr, "  %s …\n", step) })
	return engineReport{server.Engine, server.Version, r}, err
}
