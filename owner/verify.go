package owner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// AnyTable is what [Verify] and [RLS] look at: a [Table], a [SharedTable] or a
// [Grant], and what [WithRLS] makes of these.
type AnyTable interface {
	subject() subject
}

// subject is a table that is to be verified, or a grant on one.
type subject struct {
	table *table
	grant *grant
	rls   bool
}

func (t *Table[R, O]) subject() subject {
	if t == nil {
		return subject{}
	}
	return subject{table: t.def}
}

func (t *SharedTable[R]) subject() subject {
	if t == nil {
		return subject{}
	}
	return subject{table: t.q.table}
}

func (g Grant[G, R, O]) subject() subject { return subject{table: g.table, grant: g.g} }

// Verify compares the declarations of tables with the live schema, and says
// what to change there. It is meant for a test that runs after the migrations,
// where [VerifyT] does it, and for start-up, where [Check] does.
//
// Give it all tables that the service declares. It looks for:
//   - tables and columns that are missing, columns of another type or with NULL
//     where the struct cannot hold it, a time.Time on a timestamp without time zone,
//     versions that begin with 0, columns that the struct does not have and an insert
//     would have to fill, and values of a column that the struct's type loses or takes
//     for another one;
//   - owners that can be NULL, and no index that begins with them;
//   - a primary key, or a [Unique], that is not unique in the database, and unique
//     constraints without the owner, whose violation tells of strangers;
//   - a [Reference], or a parent, that is not guarded by a foreign key which takes
//     the owner along;
//   - tables in the same schemas that have a column of an owner's name and type
//     and are not declared, unless their comment contains "rowkeeper: undeclared";
//   - row-level security that is only half there; for more see [WithRLS].
//
// Findings are ordered by severity, the worst first, then by table and name; the
// same schema and declarations give the same findings. Views are looked at for
// their columns only. Partitions, and tables that inherit, count as part of their
// parent.
//
// It reads the system catalogs, as the role of the connection, and no row of any
// table. The error is that of the database, or says what is wrong with the call.
func Verify(ctx context.Context, db DB, tables ...AnyTable) ([]Finding, error) {
	if d := reflect.ValueOf(db); !d.IsValid() || d.Kind() == reflect.Pointer && d.IsNil() {
		return nil, misuse("Verify: the database is nil")
	}
	subjects, err := subjectsOf("Verify", tables)
	if err != nil {
		return nil, err
	}
	live, err := readLive(ctx, db, subjects)
	if err != nil {
		return nil, fmt.Errorf("owner: Verify: %w", err)
	}
	v := &verification{live: live, subjects: subjects}
	for _, t := range v.declared() {
		v.checkTable(t)
	}
	v.checkUndeclared()
	if err := v.checkRLS(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(v.found, func(a, b Finding) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Table, b.Table),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Problem, b.Problem), cmp.Compare(a.SQL, b.SQL))
	})
	return slices.Compact(v.found), nil // a table may be declared twice
}

// Check is [Verify] for start-up. Its error lists the findings of that severity
// and worse ones, and is nil if there are none:
//
//	if err := owner.Check(ctx, pool, owner.Exposed, Accounts, Orders); err != nil {
//		log.Fatal(err)
//	}
//
// It is made to be logged: it names tables and columns.
func Check(ctx context.Context, db DB, from Severity, tables ...AnyTable) error {
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
			errs = append(errs, errors.New("owner: "+f.String()))
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

// VerifyT is [Verify] for tests: each finding, of whatever severity, fails the
// test, and so does an error.
//
//	func TestSchema(t *testing.T) {
//		owner.VerifyT(t, migrated(t), owner.WithRLS(Accounts, Orders)...)
//	}
func VerifyT(t TestingT, db DB, tables ...AnyTable) {
	t.Helper()
	findings, err := Verify(t.Context(), db, tables...)
	if err != nil {
		t.Errorf("%v", err)
	}
	for _, f := range findings {
		t.Errorf("%v", f)
	}
}

func subjectsOf(what string, tables []AnyTable) ([]subject, error) {
	if len(tables) == 0 {
		return nil, misuse("%s: no tables were given", what)
	}
	out := make([]subject, len(tables))
	for i, t := range tables {
		if t != nil {
			out[i] = t.subject()
		}
		if out[i].table == nil {
			return nil, misuse("%s: table number %d was not made by MustTable, MustThrough, MustShared or GrantedBy", what, i+1)
		}
	}
	return out, nil
}

type verification struct {
	live     *liveSchema
	subjects []subject
	found    []Finding
}

// declared gives each declaration once, also those that are known from others.
func (v *verification) declared() []*table { return declaredBy(v.subjects) }

func declaredBy(subjects []subject) (out []*table) {
	var add func(t *table)
	add = func(t *table) {
		if t == nil || slices.Contains(out, t) {
			return
		}
		out = append(out, t)
		add(t.through)
	}
	for _, s := range subjects {
		add(s.table)
		if s.grant != nil {
			add(s.grant.ref.child)
		}
	}
	return out
}

func (v *verification) say(severity Severity, table, name string, sql []string, format string, args ...any) {
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
		v.say(Broken, t.name, t.last(), createTable(t), "there is no such table in the schemas %s", strings.Join(v.live.searched, ", "))
	case l.view():
		v.checkColumns(t, l)
	default:
		v.checkColumns(t, l)
		v.checkOwners(t, l)
		v.checkKeys(t, l)
		v.checkReferences(t, l)
	}
}
