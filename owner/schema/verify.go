package schema

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rowkeeper/rowkeeper/internal/livedb"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/access"
	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// table, column and reference are declared; liveTable and liveColumn are in the database.
type (
	table      = core.Table
	column     = core.Column
	reference  = core.Reference
	liveTable  = livedb.Table
	liveColumn = livedb.Column
)

// Verify compares the declarations of tables with the live schema, and returns the
// changes that the schema needs. Use [VerifyT] in a test that runs after the
// migrations, and [Check] at start-up.
//
// Pass all tables that the service declares. Verify reports:
//   - tables and columns that are missing, columns of another type or with NULL
//     if the struct cannot hold it, a time.Time on a timestamp without time zone,
//     versions that begin with 0, columns that the struct does not have and an insert
//     would have to fill, and values of a column that the struct's type loses or takes
//     for another one;
//   - owners that can be NULL, and tables without an index that begins with them;
//   - a primary key, or an [owner.Unique], that is not unique in the database, and
//     unique constraints without the owner, whose violation reveals rows of others;
//   - an [owner.Reference], or a parent, without a foreign key that includes the owner;
//   - tables in the same schemas that have a column of an owner's name and type
//     and are not declared, unless their comment contains "rowkeeper: undeclared";
//   - an [owner.SharedTable] that has such a column, or is declared with owners too,
//     unless its comment contains "rowkeeper: shared";
//   - row-level security that is only partly set up; see also [WithRLS].
//
// Findings are ordered by severity, the worst first, then by table and name. The same
// schema and declarations give the same findings. Views are compared by their columns
// only. Partitions and inheriting tables count as part of their parent.
//
// Verify reads the system catalogs, as the role of the connection, and no row of any
// table. The error is that of the database, or says what is wrong with the call.
func Verify(ctx context.Context, db owner.DB, tables ...owner.AnyTable) ([]Finding, error) {
	if d := reflect.ValueOf(db); !d.IsValid() || d.Kind() == reflect.Pointer && d.IsNil() {
		return nil, misuse("Verify: the database is nil")
	}
	subjects, err := subjectsOf("Verify", tables)
	if err != nil {
		return nil, err
	}
	live, err := readLive(ctx, db, subjects)
	if err != nil {
		return nil, fmt.Errorf("owner/schema: Verify: %w", err)
	}
	v := &verification{live: live, types: pgtype.NewMap(), subjects: subjects}
	for _, t := range v.declared() {
		v.checkTable(t)
	}
	v.checkUndeclared()
	if err := v.checkRowSecurity(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(v.found, func(a, b Finding) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Table, b.Table),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Problem, b.Problem), cmp.Compare(a.SQL, b.SQL))
	})
	return slices.Compact(v.found), nil // a table may be declared twice
}

// Check is like [Verify], for start-up. Its error lists the findings of that severity
// and worse, and is nil if there are none:
//
//	if err := schema.Check(ctx, pool, schema.Exposed, Accounts, Orders); err != nil {
//		log.Fatal(err)
//	}
//
// The error names tables and columns: log it, and do not show it to clients.
func Check(ctx context.Context, db owner.DB, from Severity, tables ...owner.AnyTable) error {
	if from < Advice || from > Exposed {
		return misuse("Check: %d is no severity: use Advice, Broken or Exposed", int(from))
	}
	findings, err := Verify(ctx, db, tables...)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range findings {
		if f.Severity >= from {
			errs = append(errs, errors.New("owner/schema: "+f.String()))
		}
	}
	return errors.Join(errs...)
}

// TestingT is the part of *testing.T that [VerifyT] needs.
type TestingT interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
}

// VerifyT is like [Verify], for tests: each finding of any severity fails the test,
// and so does an error. To ignore some findings, call Verify and filter its result.
//
//	func TestSchema(t *testing.T) {
//		schema.VerifyT(t, migrated(t), schema.WithRLS(Accounts, Orders)...)
//	}
func VerifyT(t TestingT, db owner.DB, tables ...owner.AnyTable) {
	t.Helper()
	findings, err := Verify(t.Context(), db, tables...)
	if err != nil {
		t.Errorf("%v", err)
	}
	for _, f := range findings {
		t.Errorf("%v", f)
	}
}

// A subject is a declaration to verify.
type subject struct {
	table *table
	grant *core.Grant // on rows of the table, or nil
	rls   bool
}

func subjectsOf(what string, tables []owner.AnyTable) ([]subject, error) {
	if len(tables) == 0 {
		return nil, misuse("%s: no tables were given", what)
	}
	out := make([]subject, len(tables))
	for i, t := range tables {
		for {
			with, ok := t.(withRLS)
			if !ok {
				break
			}
			t, out[i].rls = with.AnyTable, true
		}
		if out[i].table, out[i].grant = access.Owner.Declaration(t); out[i].table == nil {
			return nil, misuse("%s: table number %d was not made by MustTable, MustThrough, MustShared or GrantedBy", what, i+1)
		}
	}
	for _, t := range declaredBy(out) {
		if err := t.Complete(); err != nil {
			return nil, misuse("%s: %w", what, err)
		}
	}
	return out, nil
}

func misuse(format string, args ...any) error {
	return fmt.Errorf("owner/schema: "+format, args...)
}

type verification struct {
	live     *liveSchema
	types    *pgtype.Map // that pgx knows by itself; a Map is for one goroutine
	subjects []subject
	found    []Finding
}

// declared returns each declaration once, including those that others refer to.
func (v *verification) declared() []*table { return declaredBy(v.subjects) }

func declaredBy(subjects []subject) (out []*table) {
	var add func(t *table)
	add = func(t *table) {
		if t == nil || slices.Contains(out, t) {
			return
		}
		out = append(out, t)
		add(t.Through)
	}
	for _, s := range subjects {
		add(s.table)
		if s.grant != nil {
			add(s.grant.Reference.Child)
		}
	}
	return out
}

func (v *verification) report(severity Severity, table, name string, sql []string, format string, args ...any) {
	v.found = append(v.found, Finding{
		Severity: severity, Table: table, Name: name,
		Problem: fmt.Sprintf(format, args...), SQL: strings.Join(sql, "\n"),
	})
}

// checkTable compares one declaration with the table of its name.
func (v *verification) checkTable(t *table) {
	l := v.live.find(t)
	switch {
	case l == nil:
		v.report(Broken, t.Name, t.BaseName(), createTable(t), "there is no such table in the schemas %s", strings.Join(v.live.SearchPath, ", "))
	case l.IsView():
		v.checkColumns(t, l)
	default:
		v.checkColumns(t, l)
		v.checkOwners(t, l)
		v.checkKeys(t, l)
		v.checkReferences(t, l)
	}
}
