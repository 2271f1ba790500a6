package schema

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/core"
	"github.com/rowkeeper/rowkeeper/owner/internal/identifier"
)

// ErrNoRLS reports that the server has no row-level security that this package can
// use. CockroachDB has none before v25.2, and its policies since then cannot look at
// a row's parent.
var ErrNoRLS = errors.New("owner/schema: no row-level security")

// RLS returns the SQL of a second wall, for a migration: with row-level security the
// database itself keeps owners apart, also in SQL written by hand. There is one
// statement on each line. Run them in one transaction; they can be run again.
//
// Each table gets a policy by which a row can be read and written only if its owner,
// or the owner of its parent, is the one that [owner.Scope.Settings] names. Without
// that setting no row is visible or writable. An [owner.Grant] adds a policy by which
// grantees read the row. They can also read the table of grants, which only the
// owners of another declaration can write. An [owner.SharedTable] is left unchanged.
// Parents are included, and so are partitions, whose rows can then be read only
// through their parent.
//
// Below SERIALIZABLE the policy of a child judges its parent as it was when the
// statement began, also after a wait. The statements of package owner lock the parent
// themselves; SQL by hand does not.
//
// The wall does not apply to superusers, roles with BYPASSRLS, TRUNCATE, and look-ups
// of foreign keys: see [WithRLS]. It does not stop a caller who can choose the SQL,
// since everybody can change the setting. Behind it, [owner.Scoped.TransferTo] and an
// upsert that conflicts with another owner's row fail with the database's error.
//
// The types are those of the live columns. The error is that of the database,
// [ErrNoRLS], or names a declaration that cannot be a policy: a Grant with
// conditions, and one whose table of grants is also declared as a child of the rows,
// because the two policies would refer to each other endlessly.
func RLS(ctx context.Context, db owner.DB, tables ...owner.AnyTable) (string, error) {
	if d := reflect.ValueOf(db); !d.IsValid() || d.Kind() == reflect.Pointer && d.IsNil() {
		return "", misuse("RLS: the database is nil")
	}
	subjects, err := subjectsOf("RLS", tables)
	if err != nil {
		return "", err
	}
	live, err := readLive(ctx, db, subjects)
	if err != nil {
		return "", fmt.Errorf("owner/schema: RLS: %w", err)
	}
	policies, err := live.requiredPolicies(subjects)
	if err != nil {
		return "", err
	}
	var sql []string
	for i, p := range policies {
		if i == 0 || policies[i-1].live != p.live {
			for _, l := range append([]*liveTable{p.live}, live.Children(p.live)...) {
				quoted, _ := live.nameOf(l)
				sql = append(sql, enable(quoted), force(quoted))
			}
		}
		sql = append(sql, p.create()...)
	}
	return strings.Join(sql, "\n"), nil
}

// WithRLS makes [Verify], [VerifyT] and [Check] also check the wall that [RLS] makes.
// They report a table that does not have it switched on, also for the table's owner
// and in its partitions; missing policies, and others that let more rows through;
// views that bypass it; and a role of the connection to which it does not apply:
// connect as the role of the service. On a server without row-level security they
// fail with [ErrNoRLS].
func WithRLS(tables ...owner.AnyTable) []owner.AnyTable {
	out := make([]owner.AnyTable, len(tables))
	for i, t := range tables {
		if t != nil {
			out[i] = withRLS{t}
		}
	}
	return out
}

type withRLS struct{ owner.AnyTable }

// policy is a policy that the wall requires.
type policy struct {
	live    *liveTable
	of      *table
	quoted  string
	name    string
	command string // "all" or "select"
	rows    string
}

func (p policy) create() []string {
	name := quotedList([]string{p.name})
	text := "create policy " + name + " on " + p.quoted + " for " + p.command + " using (" + p.rows + ")"
	if p.command == "all" {
		text += " with check (" + p.rows + ")"
	}
	return []string{"drop policy if exists " + name + " on " + p.quoted + ";", text + ";"}
}

func enable(quoted string) string { return "alter table " + quoted + " enable row level security;" }
func force(quoted string) string  { return "alter table " + quoted + " force row level security;" }

// requiredPolicies returns the policies for the tables, ordered by table.
func (l *liveSchema) requiredPolicies(subjects []subject) ([]policy, error) {
	if l.Cockroach {
		return nil, fmt.Errorf("%w: the server says that it is %s; this needs PostgreSQL", ErrNoRLS, l.Version)
	}
	if err := distinctSettings(subjects); err != nil {
		return nil, err
	}
	var out []policy
	for _, t := range declaredBy(subjects) {
		if t.Shared {
			continue
		}
		p, err := l.policyOf(t)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	for _, s := range subjects {
		if s.grant == nil {
			continue
		}
		p, err := l.policyOf(s.table)
		if err != nil {
			return nil, err
		}
		if p, err = l.granted(p, s.grant); err != nil {
			return nil, err
		}
		grants, err := l.policyOf(s.grant.Reference.Child)
		if err != nil {
			return nil, err
		}
		for i := range out {
			switch {
			case out[i].live != grants.live:
			case out[i].of.Through != nil:
				return nil, misuse("RLS: table %s says who can read %s, and also belongs to its rows, which a policy would take for an endless loop; give it a column for the row's owner, and declare that instead of the parent", out[i].of.Name, s.table.Name)
			case out[i].name == grants.name:
				out[i].command = "select" // otherwise a grantee could pass it on
			}
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b policy) int {
		return strings.Compare(a.live.Schema+"\x00"+a.live.Name+"\x00"+a.name, b.live.Schema+"\x00"+b.live.Name+"\x00"+b.name)
	})
	return slices.CompactFunc(out, func(a, b policy) bool { return a.live == b.live && a.name == b.name }), nil
}

func distinctSettings(subjects []subject) error {
	types := map[string]reflect.Type{}
	for _, t := range declaredBy(subjects) {
		for i, name := range core.SettingNames(t.OwnerTypes) {
			if other, ok := types[name]; ok && other != t.OwnerTypes[i] {
				return misuse("RLS: the owner types %s.%s and %s.%s would share the setting %s; rename one",
					other.PkgPath(), other.Name(), t.OwnerTypes[i].PkgPath(), t.OwnerTypes[i].Name(), name)
			}
			types[name] = t.OwnerTypes[i]
		}
	}
	return nil
}

func (l *liveSchema) policyOf(t *table) (policy, error) {
	live := l.find(t)
	switch {
	case live == nil:
		return policy{}, misuse("RLS: table %s is not there", t.Name)
	case live.IsView():
		return policy{}, misuse("RLS: %s is a view, and a policy needs a table", t.Name)
	}
	prefix := ""
	if t.Through != nil {
		prefix = t.Ref // of columns in a subselect
	}
	rows, err := l.ownRows(t, prefix, 1)
	return policy{
		live: live, of: t, quoted: t.Quoted, command: "all", rows: rows,
		name: identifier.Shorten("rowkeeper_" + strings.Join(ownerColumns(t), "_")),
	}, err
}

// ownRows returns the condition that a row belongs to the owner whom the settings
// name.
func (l *liveSchema) ownRows(t *table, prefix string, depth int) (string, error) {
	if t.Through != nil {
		alias := "_" + strings.Repeat("p", depth)
		text := "exists (select 1 from " + t.Through.Quoted + " " + alias + " where "
		for i, c := range t.Parent {
			text += alias + "." + t.Through.Key[i].Quoted + " = " + prefix + c.Quoted + " and "
		}
		own, err := l.ownRows(t.Through, alias+".", depth+1)
		return text + own + ")", err
	}
	live := l.find(t)
	if live == nil {
		return "", misuse("RLS: table %s is not there", t.Name)
	}
	var terms []string
	for i, name := range core.SettingNames(t.OwnerTypes) {
		c := live.Column(t.Owners[i].Name)
		if c == nil {
			return "", misuse("RLS: column %s.%s is not there", t.Name, t.Owners[i].Name)
		}
		if c.TypeName == "bytea" {
			return "", misuse("RLS: column %s.%s is of type bytea, for which there is no setting", t.Name, t.Owners[i].Name)
		}
		// In a subselect it is computed once for a statement, not for each row.
		terms = append(terms, prefix+t.Owners[i].Quoted+" = (select "+fromSetting(c, name)+" as owner)")
	}
	return strings.Join(terms, " and "), nil
}

// fromSetting returns the setting as a value of the column's type. It is NULL, which
// equals nothing, if it is not set or if an earlier transaction of the session set
// it, after which it is empty.
func fromSetting(c *liveColumn, name string) string {
	text := "nullif(current_setting('" + name + "', true), '')"
	switch c.TypeName {
	case "text", "name", `"char"`: // the last two would truncate it
		return text
	}
	return text + "::" + c.TypeName
}

// granted returns the policy that lets others read rows for which there is a grant.
func (l *liveSchema) granted(rows policy, g *core.Grant) (policy, error) {
	if len(g.Where) > 0 {
		return policy{}, misuse("RLS: the Grant on %s has conditions, which cannot be made a policy; leave it out, and write that policy by hand", rows.of.Name)
	}
	grants := g.Reference.Child
	own, err := l.ownRows(grants, "_g.", 1)
	if err != nil {
		return policy{}, err
	}
	text := "exists (select 1 from " + grants.Quoted + " _g where "
	for i, c := range g.Reference.From {
		text += "_g." + c.Quoted + " = " + rows.of.Ref + rows.of.Key[i].Quoted + " and "
	}
	rows.rows, rows.command = text+own+")", "select"
	rows.name = identifier.Shorten("rowkeeper_granted_by_" + grants.BaseName())
	return rows, nil
}
