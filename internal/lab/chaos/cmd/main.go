// Command cmd runs transactions under faults of all kinds, on each database engine
// of the machine, and compares the outcomes that clients were told with the
// database.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/lab/chaos"
)

// document has the table of results.
const document = "docs/reliability.md"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	plan := chaos.Full
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.IntVar(&plan.Transactions, "transactions", plan.Transactions, "transactions to be committed")
	flags.IntVar(&plan.Cuts, "cuts", plan.Cuts, "connections to be cut")
	flags.IntVar(&plan.Kills, "kills", plan.Kills, "times that the server is killed")
	flags.DurationVar(&plan.Time, "time", plan.Time, "when to give up, for each engine")
	flags.Uint64Var(&plan.Seed, "seed", 0, "seed of what is drawn by lot; 0 draws one")
	engine := flags.String("engine", "", "postgresql or cockroachdb; all that are found by default")
	short := flags.Bool("short", false, "a run of about a minute, with fewer of everything")
	soak := flags.Duration("soak", 0, "run for this long instead, and look at memory, goroutines and connections")
	work := flags.String("work", "", "make only calls of these kinds, of "+strings.Join(chaos.Works(), ","))
	write := flags.Bool("write", false, "write the table into "+document)
	verbose := flags.Bool("v", false, "say why calls were not committed")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	if *short {
		set := map[string]bool{}
		flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
		for name, value := range map[string]func(){
			"transactions": func() { plan.Transactions = chaos.Short.Transactions },
			"cuts":         func() { plan.Cuts = chaos.Short.Cuts },
			"kills":        func() { plan.Kills = chaos.Short.Kills },
			"time":         func() { plan.Time = chaos.Short.Time },
		} {
			if !set[name] {
				value()
			}
		}
	}
	if *work != "" {
		plan.Work = strings.Split(*work, ",")
	}
	if plan.Seed == 0 {
		plan.Seed = rand.Uint64N(1_000_000)
	}
	if *engine != "" {
		os.Setenv(devdb.EnvEngine, *engine)
	}
	sources, err := devdb.Find()
	if err != nil {
		return err
	}
	var reports []*chaos.Report
	var failed []error
	for _, source := range sources {
		if *soak > 0 {
			if err := chaos.Soak(ctx, source, plan.Seed, *soak, os.Stdout); err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", source.Engine, err))
			}
			continue
		}
		report, err := chaos.Run(ctx, source, plan, os.Stdout)
		if report != nil {
			fmt.Printf("\n%v\n", report)
			if *verbose {
				fmt.Printf("%s\n\n", strings.Join(report.Reasons(), "\n"))
			}
			reports = append(reports, report)
			if missing := report.Missing(); len(missing) > 0 && err == nil {
				err = fmt.Errorf("it never came to this: %s", strings.Join(missing, ", "))
			}
			if report.Wrong > 0 {
				err = errors.Join(fmt.Errorf("%d wrong claims", report.Wrong), err)
			}
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s, seed %d: %w", source.Engine, plan.Seed, err))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if *write {
		return chaos.Write(document, reports)
	}
	return nil
}
