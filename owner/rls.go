package owner

import (
	"context"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// ErrNoRLS says that row-level security was asked for, and the server has none
// that this package can use. That is so on CockroachDB: it has none before v25.2,
// and since then policies that cannot look at a row's parent.
var ErrNoRLS error = &sentinel{"owner: no row-level security", kind.Internal}

// RLS returns the SQL of a second wall, for a migration: with row-level security
// the database itself keeps owners apart, also in SQL written by hand. It gives
// one statement on each line and can be run again. Run it in one transaction.
//
// Each table gets a policy by which a row can be read and written only where its
// owner, or that of its parent, is the one that [Scope.Settings] names. Without
// that setting nothing is seen, and nothing can be written. For a [Grant] it adds
// that those who are given access can read the row; then rows of the table of
// grants can be read by these, and written only by whom another declaration says.
// A [SharedTable] is left as it is. Parents come along, and so do partitions,
// which then have their rows read through their parent only.
//
// Below SERIALIZABLE the policy of a child judges its parent as it was when the
// statement began, also behind a wait; the statements of this package lock the parent
// themselves, SQL by hand does not.
//
// The wall does not hold for superusers, roles with BYPASSRLS, TRUNCATE, and what
// foreign keys look up: see [WithRLS]. Nor does it hold against who can choose
// the SQL, since everybody can change the setting. [Scoped.TransferTo] and an
// upsert that meets a stranger's row are the database's errors behind it.
//
// The types are those of the live columns. The error is that of the database,
// [ErrNoRLS], or says which declaration cannot be a policy: a Grant with
// conditions, and one whose table of grants is also declared as a child of the
// rows, which would look at each other without end.
func RLS(ctx context.Context, db DB, tables ...AnyTable) (string, error) {
	if d := reflect.ValueOf(db); !d.IsValid() || d.Kind() == reflect.Pointer && d.IsNil() {
		return "", misuse("RLS: the database is nil")
	}
	subjects, err := subjectsOf("RLS", tables)
	if err != nil {
		return "", err
	}
	live, err := readLive(ctx, db, subjects)
	if err != nil {
		return "", fmt.Errorf("owner: RLS: %w", err)
	}
	policies, err := live.wanted(subjects)
	if err != nil {
		return "", err
	}
	var sql []string
	for i, p := range policies {
		if i == 0 || policies[i-1].live != p.live {
			for _, l := range append([]*liveTable{p.live}, live.children(p.live)...) {
				quoted, _ := live.called(l)
				sql = append(sql, enable(quoted), force(quoted))
			}
		}
		sql = append(sql, p.create()...)
	}
	return strings.Join(sql, "\n"), nil
}

// WithRLS makes [Verify], [VerifyT] and [Check] look for the wall that [RLS]
// makes, too: that each table has it switched on, also for the table's owner,
// with these policies and no others that would let more rows through, in its
// partitions too; that no view goes around it; and that the role of the connection
// has to keep to it: connect as the role of the service. On a server without
// row-level security they fail with [ErrNoRLS].
func WithRLS(tables ...AnyTable) []AnyTable {
	out := make([]AnyTable, len(tables))
	for i, t := range tables {
		if t != nil {
			out[i] = withRLS{t}
		}
	}
	return out
}

type withRLS struct{ AnyTable }

func (w withRLS) subject() subject {
	s := w.AnyTable.subject()
	s.rls = true
	return s
}

// A Setting is a configuration parameter of the server's.
type Setting struct{ Name, Value string }

// Settings are what tells the policies made by [RLS] whose transaction it is. Set
// them for the transaction only, with the option Setting of package txn, which
// sends them with BEGIN:
//
//	settings, err := me.Settings()
//	…
//	for _, s := range settings {
//		options = append(options, txn.Setting(s.Name, s.Value))
//	}
//
// or with SELECT set_config(name, value, true). There is one, or two for a
// [Member], the tenant's first. The name is made from the owner's Go type and the name
// of its package, so that the user 42 is not the tenant 42. Whoever renames one of them
// has to run the migration of [RLS] again, or nothing is seen. A type with the method
//
//	func (UserID) SettingName() string { return "user_id" }
//
// names its own: rowkeeper.user_id.
//
// The zero Scope fails with [ErrUnscoped]; an owner that no text can stand for is
// an error.
func (s Scope[O]) Settings() ([]Setting, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	var out []Setting
	for i, name := range settingNames(ownerTypes[O]()) {
		value, ok := settingText(s.id.arg[i])
		if !ok {
			return nil, misuse("Settings: an owner of type %s cannot be written as text", reflect.TypeFor[O]())
		}
		out = append(out, Setting{name, value})
	}
	return out, nil
}

// settingText is arg as the input of its column's type. Arrays of bytes are UUIDs,
// which can be written in hex.
func settingText(arg any) (string, bool) {
	v := reflect.ValueOf(arg)
	switch {
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), true
	case v.Kind() == reflect.String:
		return v.String(), !strings.ContainsRune(v.String(), 0)
	case v.Kind() == reflect.Array && v.Len() == 16:
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		return hex.EncodeToString(b), true
	}
	return "", false // what a Valuer's []byte means depends on the column
}

// settingNames are the parameters for owners of these types. A user who is one
// of a tenant has another than the same user alone.
func settingNames(types []reflect.Type) []string {
	out := make([]string, len(types))
	for i, t := range types {
		name := word(t)
		if i > 0 {
			name += "_of_" + word(types[0])
		}
		out[i] = "rowkeeper." + short(name)
	}
	return out
}

func word(t reflect.Type) string {
	name := t.String()
	if named, ok := reflect.Zero(t).Interface().(interface{ SettingName() string }); ok {
		if given := named.SettingName(); given != "" {
			name = given
		}
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, name)
}

// short keeps a name within what PostgreSQL does, and apart from others.
func short(name string) string {
	if len(name) <= maxIdentifier {
		return name
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	return strings.ToValidUTF8(name[:maxIdentifier-17], "") + "_" + fmt.Sprintf("%016x", h.Sum64())
}

// policy is a policy that the wall needs.
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

// wanted are the policies for the tables, ordered by table.
func (l *liveSchema) wanted(subjects []subject) ([]policy, error) {
	if l.cockroach {
		return nil, fmt.Errorf("%w: the server says that it is %s; this needs PostgreSQL", ErrNoRLS, l.version)
	}
	if err := distinctSettings(subjects); err != nil {
		return nil, err
	}
	var out []policy
	for _, t := range declaredBy(subjects) {
		if t.shared {
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
		grants, err := l.policyOf(s.grant.ref.child)
		if err != nil {
			return nil, err
		}
		for i := range out {
			switch {
			case out[i].live != grants.live:
			case out[i].of.through != nil:
				return nil, misuse("RLS: table %s says who can read %s, and also belongs to its rows, which a policy would take for an endless loop; give it a column for the row's owner, and declare that instead of the parent", out[i].of.name, s.table.name)
			case out[i].name == grants.name:
				out[i].command = "select" // or whoever has access could pass it on
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
		for i, name := range settingNames(t.ownerTypes) {
			if other, ok := types[name]; ok && other != t.ownerTypes[i] {
				return misuse("RLS: the owner types %s.%s and %s.%s would share the setting %s; rename one",
					other.PkgPath(), other.Name(), t.ownerTypes[i].PkgPath(), t.ownerTypes[i].Name(), name)
			}
			types[name] = t.ownerTypes[i]
		}
	}
	return nil
}

func (l *liveSchema) policyOf(t *table) (policy, error) {
	live := l.find(t)
	switch {
	case live == nil:
		return policy{}, misuse("RLS: table %s is not there", t.name)
	case live.view():
		return policy{}, misuse("RLS: %s is a view, and a policy needs a table", t.name)
	}
	prefix := ""
	if t.through != nil {
		prefix = t.ref // of columns within a subselect
	}
	rows, err := l.ownRows(t, prefix, 1)
	return policy{
		live: live, of: t, quoted: t.quoted, command: "all", rows: rows,
		name: short("rowkeeper_" + strings.Join(t.owning(), "_")),
	}, err
}

// ownRows is the condition that a row is the one's whom the settings name.
func (l *liveSchema) ownRows(t *table, prefix string, depth int) (string, error) {
	if t.through != nil {
		alias := "_" + strings.Repeat("p", depth)
		text := "exists (select 1 from " + t.through.quoted + " " + alias + " where "
		for i, c := range t.parent {
			text += alias + "." + t.through.key[i].quoted + " = " + prefix + c.quoted + " and "
		}
		own, err := l.ownRows(t.through, alias+".", depth+1)
		return text + own + ")", err
	}
	live := l.find(t)
	if live == nil {
		return "", misuse("RLS: table %s is not there", t.name)
	}
	var terms []string
	for i, name := range settingNames(t.ownerTypes) {
		c := live.column(t.owners[i].name)
		if c == nil {
			return "", misuse("RLS: column %s is not there", t.owners[i])
		}
		if c.TypeName == "bytea" {
			return "", misuse("RLS: column %s is of type bytea, for which there is no setting", t.owners[i])
		}
		// In a subselect it is computed once for a statement, not for each row.
		terms = append(terms, prefix+t.owners[i].quoted+" = (select "+c.fromSetting(name)+" as owner)")
	}
	return strings.Join(terms, " and "), nil
}

// fromSetting is the setting as a value of the column's type. It is NULL, which
// equals nothing, where it is not set and where it was set by an earlier
// transaction of the session, after which it is empty.
func (c *liveColumn) fromSetting(name string) string {
	text := "nullif(current_setting('" + name + "', true), '')"
	switch c.TypeName {
	case "text", "name", `"char"`: // the last two would cut it short
		return text
	}
	return text + "::" + c.TypeName
}

// granted is the policy that lets others read rows for which there is a grant.
func (l *liveSchema) granted(rows policy, g *grant) (policy, error) {
	if len(g.where) > 0 {
		return policy{}, misuse("RLS: the Grant on %s has conditions, which cannot be made a policy; leave it out, and write that policy by hand", rows.of.name)
	}
	grants := g.ref.child
	own, err := l.ownRows(grants, "_g.", 1)
	if err != nil {
		return policy{}, err
	}
	text := "exists (select 1 from " + grants.quoted + " _g where "
	for i, c := range g.ref.from {
		text += "_g." + c.quoted + " = " + rows.of.ref + rows.of.key[i].quoted + " and "
	}
	rows.rows, rows.command = text+own+")", "select"
	rows.name = short("rowkeeper_granted_by_" + grants.last())
	return rows, nil
}
