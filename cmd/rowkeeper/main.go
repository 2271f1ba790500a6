// Command rowkeeper finds in a service what the library Rowkeeper prevents: lost
// updates, rows of other owners, retried effects, leaked database errors.
//
//	rowkeeper vet ./...                                      # the code
//	rowkeeper audit                                          # the schema of DATABASE_URL
//	rowkeeper probe -spec openapi.yaml http://localhost:8080 # the running service
//	rowkeeper check                                          # all that rowkeeper.yaml configures
//	rowkeeper explain RKV03
//
// Run rowkeeper help for all commands and flags. The file docs/scanner.md of the
// repository tells what each of them cannot see, and walks from a finding to its fix.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
