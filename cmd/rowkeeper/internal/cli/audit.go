package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

const databaseURL = "DATABASE_URL"

func auditCommand(fs *flag.FlagSet, t *terminal) func(context.Context, []string) (int, error) {
	o := outputFlags(fs)
	var a auditor
	fs.StringVar(&a.url, "db", "", "the `URL` of the database (default: that in "+databaseURL+", which other users of the machine do not see)")
	fs.BoolVar(&a.options.Rows, "rows", false, "count duplicates and orphans too, which reads whole tables")
	fs.BoolVar(&a.options.TestDatabase, "test-database", false, "its data may be lost, so weak durability is no fault")
	fs.DurationVar(&a.options.Timeout, "timeout", 30*time.Second, "of each statement")
	role := fs.String("role", "", "the `role` of the service, whose privileges are judged")
	fs.StringVar(&a.export, "export", "", "write owned tables, keys and constraint names to the `file`, for vet and probe")
	return func(ctx context.Context, args []string) (int, error) {
		if len(args) > 0 {
			return usageError, errors.New("audit takes no arguments; -db or " + databaseURL + " names the database")
		}
		c, err := o.read()
		if err != nil {
			return usageError, err
		}
		if *role != "" {
			c.Role = *role
		}
		if a.url == "" {
			a.url = os.Getenv(databaseURL)
		}
		if a.url == "" {
			return usageError, errors.New("no database: set " + databaseURL)
		}
		return o.scan(ctx, t, c, []run{a.run(c)})
	}
}

// An auditor audits one database.
type auditor struct {
	url, export string
	options     audit.Options
}

func (a auditor) run(c *config.Config) run {
	a.options.Config = c
	return run{"audit", func(ctx context.Context) ([]finding.Finding, *finding.Coverage, error) {
		conn, err := pgx.Connect(ctx, a.url)
		if err != nil {
			return nil, nil, err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		if err := a.writeExport(ctx, conn); err != nil {
			return nil, nil, err
		}
		return audit.Run(ctx, conn, a.options)
	}}
}

func (a auditor) writeExport(ctx context.Context, conn *pgx.Conn) error {
	if a.export == "" {
		return nil
	}
	schema, err := audit.Export(ctx, conn, a.options)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(a.export, append(text, '\n'), 0o666)
}
