// Package cli is the command line of rowkeeper.
package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet"
)

// usageError is the exit code of a wrong flag or configuration.
const usageError = 2

// A command is one of the words behind rowkeeper.
type command struct {
	name, arguments, about string

	// flags declares the command's own flags, and returns what runs after they are
	// parsed.
	flags func(fs *flag.FlagSet, t *terminal) func(ctx context.Context, args []string) (code int, err error)
}

// A terminal is where a command writes.
type terminal struct {
	out, err io.Writer
}

// Run runs the command line args, without the program's name, and returns the exit
// code.
func Run(ctx context.Context, args []string, out, errs io.Writer) int {
	if len(args) == 0 {
		usage(errs)
		return usageError
	}
	if vet.IsVetTool(args) {
		vet.VetTool() // does not return
	}
	name, args := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		usage(out)
		return 0
	case "version", "-version", "--version":
		fmt.Fprintln(out, "rowkeeper", version())
		return 0
	}
	t := &terminal{out, errs}
	for _, c := range commands() {
		if c.name == name {
			return t.run(ctx, c, args)
		}
	}
	fmt.Fprintf(errs, "rowkeeper: no command %q; run rowkeeper help\n", name)
	return usageError
}

func (t *terminal) run(ctx context.Context, c command, args []string) int {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(t.err)
	fs.Usage = func() {
		fmt.Fprintf(fs.Output(), "usage: rowkeeper %s [flags] %s\n\n%s\n\n", c.name, c.arguments, c.about)
		fs.PrintDefaults()
	}
	run := c.flags(fs, t)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return usageError
	}
	code, err := run(ctx, fs.Args())
	if err != nil {
		fmt.Fprintf(t.err, "rowkeeper %s: %v\n", c.name, err)
		return cmp.Or(code, usageError)
	}
	return code
}

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: rowkeeper <command> [flags] [arguments]\n\n")
	for _, c := range commands() {
		about, _, _ := strings.Cut(c.about, "\n")
		fmt.Fprintf(w, "  %-8s %s\n", c.name, about)
	}
	fmt.Fprint(w, `
rowkeeper <command> -help shows the flags of a command.

Exit codes: 0 nothing found, 1 findings, 2 a wrong flag or configuration, 3 it could
not judge.
`)
}

// version returns the version of the module that was installed.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
