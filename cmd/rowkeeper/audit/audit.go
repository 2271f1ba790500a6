package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// DB is a database: a pool, a connection or a transaction of pgx. If it can begin a
// transaction, everything is read in one that is read-only. A transaction is left as it
// was.
type DB interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Options of Run, Export and T. The zero value looks at all schemas that are not the
// system's.
type Options struct {
	Config  *config.Config // nothing is configured if nil
	Schemas []string       // only these

	// Rows counts duplicates, orphans and the like, so that a finding that is true of
	// the rows too is proved. Tables are read as a whole, each count for at most Timeout.
	Rows bool

	// Timeout bounds each statement. It is 30 s if 0.
	Timeout time.Duration

	// TestDatabase says that the data of the database may be lost, so that weak
	// durability is no fault.
	TestDatabase bool

	// Root is the folder that Config.Migrations is relative to, the working directory
	// if empty.
	Root string
}

func (o Options) withDefaults() Options {
	if o.Config == nil {
		o.Config = new(config.Config)
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	return o
}

// Run audits the schema. The findings are sorted, without those that a comment
// suppresses. The coverage has a subject for each table, and says of each rule whether
// it was judged. The error is that of the database or of the configuration.
func Run(ctx context.Context, db DB, opts Options) ([]finding.Finding, *finding.Coverage, error) {
	opts = opts.withDefaults()
	c, err := read(ctx, db, opts)
	if err != nil {
		return nil, nil, err
	}
	owners, err := newOwnership(c, opts.Config)
	if err != nil {
		return nil, nil, fmt.Errorf("audit: %w", err)
	}
	places, err := readPlaces(opts.Root, opts.Config.Migrations)
	if err != nil {
		return nil, nil, fmt.Errorf("audit: migrations: %w", err)
	}
	p := &pass{Catalog: c, ctx: ctx, opts: opts, owners: owners, places: places}
	if opts.Rows {
		p.rows = &counter{db: db, cockroach: c.Cockroach(), timeout: opts.Timeout}
	}
	coverage := p.run()
	return p.findings, coverage, ctx.Err()
}

// Export reads what vet and probe need to know of the schema.
func Export(ctx context.Context, db DB, opts Options) (*config.Schema, error) {
	opts = opts.withDefaults()
	c, err := read(ctx, db, opts)
	if err != nil {
		return nil, err
	}
	owners, err := newOwnership(c, opts.Config)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return export(c, owners), nil
}

func read(ctx context.Context, db DB, opts Options) (c *catalog.Catalog, err error) {
	err = inTransaction(ctx, db, opts.Timeout, func(ctx context.Context, db DB) error {
		c, err = catalog.Read(ctx, db, catalog.Options{Schemas: opts.Schemas, Role: opts.Config.Role})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return c, nil
}

// inTransaction calls f with a read-only transaction that sees one moment, if db can begin
// one, and ends it. In a transaction of the caller it is a savepoint.
func inTransaction(ctx context.Context, db DB, timeout time.Duration, f func(context.Context, DB) error) (err error) {
	tx, err := begin(ctx, db)
	if err != nil {
		return err
	}
	if tx == nil {
		return f(ctx, db)
	}
	defer func() {
		rollback, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		err = errors.Join(err, tx.Rollback(rollback))
	}()
	if err := limit(ctx, tx, timeout); err != nil {
		return err
	}
	return f(ctx, tx)
}

func begin(ctx context.Context, db DB) (pgx.Tx, error) {
	switch db := db.(type) {
	case interface {
		BeginTx(ctx context.Context, opts pgx.TxOptions) (pgx.Tx, error)
	}:
		return db.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	case pgx.Tx:
		return db.Begin(ctx)
	}
	return nil, nil
}

// limit bounds each statement of the transaction by the server's clock, which ends it
// without closing the connection. CockroachDB before 21.2 has no setting for one
// transaction, so nothing is set there, and neither in a transaction of the caller.
func limit(ctx context.Context, tx pgx.Tx, timeout time.Duration) error {
	if tx.Conn() == nil || tx.Conn().PgConn().ParameterStatus("crdb_version") != "" {
		return nil
	}
	rows, err := tx.Query(ctx, `select set_config('statement_timeout', $1, true)`, fmt.Sprintf("%dms", timeout.Milliseconds()))
	if err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

// minimum is the severity from which T fails a test.
const minimum = finding.High

// TestingT is the part of testing.TB that T uses.
type TestingT interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
}

// T audits the schema of a test's database, and fails the test for each finding of high
// severity or above that is more than suspected. At most one Options can be given;
// TestDatabase is set anyway.
//
//	func TestSchema(t *testing.T) {
//		audit.T(t, migrated(t))
//	}
func T(t TestingT, db DB, opts ...Options) {
	t.Helper()
	if len(opts) > 1 {
		t.Errorf("audit: T takes at most one Options")
		return
	}
	var o Options
	if len(opts) == 1 {
		o = opts[0]
	}
	o.TestDatabase = true
	findings, coverage, err := Run(t.Context(), db, o)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	if coverage.Failure != "" {
		t.Errorf("audit: %s", coverage.Failure)
	}
	for _, f := range findings {
		if f.Severity >= minimum && f.Confidence >= finding.Strong {
			t.Errorf("%s", text(f))
		}
	}
}

func text(f finding.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s: %s\n\t%s", f.Rule, f.Severity, f.Place.Object, f.Message, f.Remedy.Text)
	for line := range strings.Lines(f.Remedy.SQL) {
		b.WriteString("\n\t" + strings.TrimSuffix(line, "\n"))
	}
	return b.String()
}
