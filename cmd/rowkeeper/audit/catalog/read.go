package catalog

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// DB is the part of a database that is needed to read its schema: a pool, a connection
// or a transaction.
type DB interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Options of Read.
type Options struct {
	Schemas []string // all that are not the system's, if empty
	Role    string   // whose rights are read too, unless it is ""
}

// Read reads the schema of the database in a few queries. Read it in one transaction for
// a consistent picture.
func Read(ctx context.Context, db DB, opts Options) (*Catalog, error) {
	c, err := readServer(ctx, db)
	if err != nil {
		return nil, err
	}
	if err := c.readTables(ctx, db, opts.Schemas); err != nil {
		return nil, fmt.Errorf("read tables: %w", err)
	}
	ids := make([]int64, len(c.Tables))
	for i, t := range c.Tables {
		ids[i] = t.ID
	}
	for _, part := range []struct {
		name string
		read func(context.Context, DB, []int64) error
	}{
		{"columns", c.readColumns}, {"indexes", c.readIndexes}, {"constraints", c.readConstraints},
		{"triggers", c.readTriggers}, {"policies", c.readPolicies}, {"settings", c.readSettings},
	} {
		if err := part.read(ctx, db, ids); err != nil {
			return nil, fmt.Errorf("read %s: %w", part.name, err)
		}
	}
	if err := c.readViews(ctx, db, opts.Schemas); err != nil {
		return nil, fmt.Errorf("read views: %w", err)
	}
	if err := c.readSequences(ctx, db, opts.Schemas); err != nil {
		return nil, fmt.Errorf("read sequences: %w", err)
	}
	if opts.Role != "" {
		if err := c.readRole(ctx, db, opts.Role, ids); err != nil {
			return nil, fmt.Errorf("read the role: %w", err)
		}
	}
	return c, nil
}

const sqlServer = `select version()::text, current_database()::text, current_user::text`

func readServer(ctx context.Context, db DB) (*Catalog, error) {
	type server struct{ Version, Database, User string }
	is, err := collect[server](ctx, db, sqlServer)
	if err != nil {
		return nil, fmt.Errorf("read the version: %w", err)
	}
	if len(is) != 1 {
		return nil, fmt.Errorf("the server said %d times what it is", len(is))
	}
	c := &Catalog{
		Engine: PostgreSQL, Version: is[0].Version, Database: is[0].Database, User: is[0].User,
		Number: versionNumber(is[0].Version),
	}
	if strings.Contains(c.Version, "CockroachDB") {
		c.Engine = CockroachDB
	}
	return c, nil
}

var versionPattern = regexp.MustCompile(`(?:PostgreSQL |v)(\d+)(?:\.(\d+))?(?:\.(\d+))?`)

// versionNumber counts as each engine does: PostgreSQL has two numbers, CockroachDB
// three. It is 0 if the text names no version.
func versionNumber(text string) int {
	m := versionPattern.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	var n [3]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // "" is 0
	}
	if strings.Contains(text, "CockroachDB") {
		return n[0]*10000 + n[1]*100 + n[2]
	}
	return n[0]*10000 + n[1]
}

// constant is the text of a statement. A string cannot be passed as one, only a
// constant can.
type constant string

func (c *Catalog) on(postgres, cockroach constant) constant {
	if c.Cockroach() {
		return cockroach
	}
	return postgres
}

func collect[T any](ctx context.Context, db DB, sql constant, args ...any) ([]*T, error) {
	rows, err := db.Query(ctx, string(sql), args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[T])
}

func (c *Catalog) readTables(ctx context.Context, db DB, schemas []string) error {
	type row struct {
		Table  Table
		Reason string
	}
	rows, err := db.Query(ctx, string(c.on(sqlPostgresTables, sqlCockroachTables)), list(schemas))
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (*row, error) {
		var x row
		t := &x.Table
		err := r.Scan(&t.ID, &t.Schema, &t.Name, &t.Kind, &t.Comment, &t.Owner, &t.Rows, &t.Unlogged, &t.RowSecurity, &t.Forced, &x.Reason)
		return &x, err
	})
	for _, x := range all {
		if x.Reason != "" {
			c.Left = append(c.Left, Left{x.Table.String(), x.Reason})
			continue
		}
		c.Tables = append(c.Tables, &x.Table)
	}
	c.Index()
	return err
}

// readColumns leaves out columns that CockroachDB makes for an index: those of an
// expression, and those that say in which shard of a hash-sharded index a row is.
func (c *Catalog) readColumns(ctx context.Context, db DB, ids []int64) error {
	columns, err := collect[Column](ctx, db, c.on(sqlPostgresColumns, sqlCockroachColumns), ids)
	for _, x := range columns {
		t := c.byID[x.Table]
		if t.names == nil {
			t.names = map[int16]string{}
		}
		t.names[x.Number] = x.Name
		if !c.Cockroach() || !strings.HasPrefix(x.Name, "crdb_internal_") {
			t.Columns = append(t.Columns, x)
		}
	}
	return err
}

// columnNames returns the names of a table's columns by their numbers. An expression has
// none. An index that begins with a shard serves the following columns nevertheless.
func (c *Catalog) columnNames(table int64, numbers []int16) []string {
	names := make([]string, 0, len(numbers))
	for _, n := range numbers {
		name := c.byID[table].names[n]
		switch {
		case !c.Cockroach() || !strings.HasPrefix(name, "crdb_internal_"):
			names = append(names, name)
		case strings.HasPrefix(name, "crdb_internal_idx_expr"):
			names = append(names, "")
		}
	}
	return names
}

func (c *Catalog) readIndexes(ctx context.Context, db DB, ids []int64) error {
	rows, err := db.Query(ctx, string(c.on(sqlPostgresIndexes, sqlCockroachIndexes)), ids)
	if err != nil {
		return err
	}
	indexes, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (*Index, error) {
		var x Index
		var numbers []int16
		var key int
		err := r.Scan(&x.Table, &x.Name, &numbers, &key, &x.Expressions, &x.Unique, &x.Primary, &x.Predicate, &x.Deferrable,
			&x.Exclusion, &x.Valid, &x.Building, &x.Constraint)
		x.Columns = c.columnNames(x.Table, numbers[:min(key, len(numbers))])
		return &x, err
	})
	for _, x := range indexes {
		if c.Cockroach() { // which gives the definition instead
			if x.Predicate == "" {
				_, x.Predicate, _ = strings.Cut(x.Expressions, " WHERE ")
			}
			if !x.Expression() {
				x.Expressions = ""
			}
		}
		t := c.byID[x.Table]
		t.Indexes = append(t.Indexes, x)
	}
	return err
}

// readConstraints names the columns of another table only if it was read, too.
func (c *Catalog) readConstraints(ctx context.Context, db DB, ids []int64) error {
	type constraint struct {
		Type, Definition string
		ForeignKey
	}
	rows, err := db.Query(ctx, string(c.on(sqlPostgresConstraints, sqlCockroachConstraints)), ids)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (*constraint, error) {
		var x constraint
		var columns, to []int16
		err := r.Scan(&x.Type, &x.Definition, &x.Table, &x.Name, &columns, &x.To, &to, &x.OnDelete, &x.Validated, &x.Enforced)
		x.Columns = c.columnNames(x.Table, columns)
		if c.byID[x.To] != nil {
			x.ToColumns = c.columnNames(x.To, to)
		}
		return &x, err
	})
	for _, x := range all {
		t := c.byID[x.Table]
		if x.Type == "f" {
			t.ForeignKeys = append(t.ForeignKeys, &x.ForeignKey)
			continue
		}
		t.Checks = append(t.Checks, &Check{
			Table: x.Table, Name: x.Name, Definition: x.Definition, Columns: x.Columns, NotNull: x.Type == "n",
			Validated: x.Validated, Enforced: x.Enforced,
		})
	}
	return err
}

func (c *Catalog) readTriggers(ctx context.Context, db DB, ids []int64) error {
	if c.Cockroach() {
		return nil
	}
	triggers, err := collect[Trigger](ctx, db, sqlPostgresTriggers, ids)
	for _, x := range triggers {
		t := c.byID[x.Table]
		t.Triggers = append(t.Triggers, x)
	}
	return err
}

func (c *Catalog) readPolicies(ctx context.Context, db DB, ids []int64) error {
	if c.Cockroach() {
		return nil
	}
	policies, err := collect[Policy](ctx, db, sqlPostgresPolicies, ids)
	for _, x := range policies {
		t := c.byID[x.Table]
		t.Policies = append(t.Policies, x)
	}
	return err
}

func (c *Catalog) readSettings(ctx context.Context, db DB, _ []int64) (err error) {
	if !c.Cockroach() {
		c.Settings, err = collect[Setting](ctx, db, sqlPostgresSettings)
	}
	return err
}

func (c *Catalog) readViews(ctx context.Context, db DB, schemas []string) (err error) {
	c.Views, err = collect[View](ctx, db, c.on(sqlPostgresViews, sqlCockroachViews), list(schemas))
	return err
}

// list returns a list that is not nil, which would be sent as NULL.
func list(names []string) []string { return append([]string{}, names...) }
