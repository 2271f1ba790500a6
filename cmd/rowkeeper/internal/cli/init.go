package cli

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
)

//go:embed rowkeeper.yaml
var template []byte

func writeConfig(_ *flag.FlagSet, t *terminal) func(context.Context, []string) (int, error) {
	return func(_ context.Context, args []string) (int, error) {
		if len(args) > 0 {
			return usageError, errors.New("init takes no arguments; it writes " + config.File)
		}
		f, err := os.OpenFile(config.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return usageError, err
		}
		if _, err := f.Write(template); err != nil {
			f.Close()
			return usageError, err
		}
		if err := f.Close(); err != nil {
			return usageError, err
		}
		fmt.Fprintln(t.out, "wrote "+config.File+": every line of it is optional")
		return 0, nil
	}
}
