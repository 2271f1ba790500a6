package schema

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/internal/rules"
)

// Verify compares a catalog with the live schema, and reports which rules to add and
// which to drop. [VerifyT] does it in a test that runs after the migrations. At start-up
// nothing that it finds is a reason not to serve:
//
//	for _, f := range findings {
//		slog.Warn("catalog: " + f.String())
//	}
//
// Findings are ordered by kind, table and name; the same schema and catalog give the same
// findings. A finding that does not matter, such as a MissingRule for a table that no
// client writes to, can be recognized by its Kind, Table and Name.
//
// Verify looks at the schemas of the search_path that exist, at the partitions of their
// tables wherever they are, and at the domains that they use. It compares unique and
// primary keys, unique indexes, check, foreign key and exclusion constraints, also those
// that are not validated, since new rows have to satisfy them. It looks for the rule of a
// violation as errs.Catalog.Translate does, by what the server would say, which may be the
// name of a partition. With errs.Catalog.WithPartitions a rule of the parent is enough.
// Partitions are reported with their parent, once.
//
// No rule is needed for a primary key that the server makes: one with an identity column,
// or with a column whose default calls a function, such as gen_random_uuid() or nextval.
// Nor is one for a NOT NULL column, because a NULL there is the service's own fault unless
// a rule says otherwise. Tables and domains of extensions, and the ledger of package txn,
// are left out. Constraint triggers are not seen: the name that they raise is only in
// their code. Rules by errs.SQLState, errs.Is and errs.As are not compared, since the
// schema has nothing to compare them with.
//
// Verify reads the system catalogs, and no row of any table. It returns the error of the
// database, or an error if there is no schema to look at. A nil catalog has no rules.
func Verify(ctx context.Context, db Querier, catalog *errs.Catalog) ([]Finding, error) {
	if isNil(db) {
		return nil, errors.New("errs/schema: the database is nil")
	}
	live, err := readSchema(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("errs/schema: %w", err)
	}
	v := &verification{catalog: rules.Of(catalog), live: live, done: map[*liveConstraint]bool{}, doneColumns: map[*liveColumn]bool{}}
	v.rules = slices.SortedFunc(slices.Values(v.catalog.Rules), func(a, b rules.Rule) int { return cmp.Compare(a.Name(), b.Name()) })
	v.underParents()

	for _, r := range v.rules {
		switch {
		case r.Column != "":
			v.checkColumnRule(r)
		case r.Domain != "":
			v.checkDomainRule(r)
		default:
			v.checkRule(r)
		}
	}
	v.checkSharedNames()
	for _, l := range live.constraints {
		v.checkConstraint(l)
	}
	v.checkColumns()
	slices.SortFunc(v.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Drop, b.Drop), cmp.Compare(a.Add, b.Add))
	})
	return slices.Compact(v.found), nil // a table may be in several schemas
}

func isNil(db Querier) bool {
	d := reflect.ValueOf(db)
	return !d.IsValid() || d.Kind() == reflect.Pointer && d.IsNil()
}

type verification struct {
	catalog rules.Catalog
	live    *liveSchema
	rules   []rules.Rule             // of the catalog, by name
	done    map[*liveConstraint]bool // there is no more to report
	found   []Finding

	doneColumns map[*liveColumn]bool
}

func (v *verification) report(kind FindingKind, table, name string, add []rules.Rule, drop, format string, args ...any) {
	v.found = append(v.found, Finding{
		Kind: kind, Table: table, Name: name,
		Problem: fmt.Sprintf(format, args...), Add: sources(add), Drop: drop,
	})
}

// lookup finds the rule that Translate would.
func (v *verification) lookup(l *liveConstraint, name, table string) (rules.Rule, bool) {
	return v.catalog.Find(&pgconn.PgError{
		Code: l.sort.sqlState(), ConstraintName: name, TableName: table,
		Detail: "Key (" + strings.Join(l.columns, ", ") + ")=(", // old primary keys have their columns here
	})
}

// written reports whether there is a rule for that name and table, or for that
// name and any table.
func (v *verification) written(name, table string) bool {
	return slices.ContainsFunc(v.rules, func(r rules.Rule) bool {
		return r.Constraint == name && (r.Table == "" || r.Table == table)
	})
}

// withName returns the constraints that the server may give this name.
func (v *verification) withName(name string) (found []*liveConstraint) {
	for _, l := range v.live.constraints {
		if l.hasName(name) {
			found = append(found, l)
		}
	}
	return found
}

// violable returns those of that name that a client may violate.
func (v *verification) violable(name string) []*liveConstraint {
	named := v.withName(name)
	if all := slices.DeleteFunc(slices.Clone(named), func(l *liveConstraint) bool { return l.generated }); len(all) > 0 {
		return all
	}
	return named
}

func (v *verification) tablesOf(name string) (tables []string) {
	for _, l := range v.violable(name) {
		tables = append(tables, l.table)
	}
	return uniq(tables)
}

// checkRule checks that a rule has a constraint, and only one if it names no table.
func (v *verification) checkRule(r rules.Rule) {
	named := v.withName(r.Constraint)
	if v.checkKey(r, named) {
		return
	}
	if len(named) == 0 {
		for _, l := range v.live.constraints {
			if l.name == r.Constraint && len(l.signals) > 0 {
				v.done[l] = true
				v.report(WrongRule, l.table, r.Constraint, v.suggest(l, v.unruled(l)), head(r),
					"the server never names it: a violation has the name of the partition's own")
				return
			}
		}
		v.report(StaleRule, r.Table, r.Constraint, nil, head(r),
			"no constraint or unique index of the schema %s has this name", strings.Join(v.live.searched, ", "))
		return
	}
	if r.Table == "" {
		v.checkGeneral(r, named)
		return
	}
	for _, l := range named {
		if l.has(r.Constraint, r.Table) || l.sort == sortDomain || v.live.cockroach && l.table == r.Table {
			return
		}
	}
	var add []rules.Rule
	for _, l := range named {
		if l.table == r.Table {
			v.done[l] = true
			v.report(WrongRule, l.table, r.Constraint, v.suggest(l, v.unruled(l)), head(r),
				"%s has partitions, and the server names the partition instead of it", r.Table)
			return
		}
		if !v.done[l] && !v.written(r.Constraint, l.table) {
			v.done[l] = true
			add = append(add, v.suggest(l, v.unruled(l))...)
		}
	}
	v.report(StaleRule, r.Table, r.Constraint, add, head(r),
		"this table has no such constraint, only %s has", strings.Join(v.tablesOf(r.Constraint), ", "))
}

// checkGeneral checks a rule for any table. CockroachDB could not use others.
func (v *verification) checkGeneral(r rules.Rule, named []*liveConstraint) {
	if v.live.cockroach {
		return
	}
	var tables []string
	var add []rules.Rule
	for _, l := range named {
		used := false
		for _, s := range l.signals {
			if got, ok := v.lookup(l, s.name, s.table); ok && s.name == r.Constraint && got.Table == "" {
				used = true
				if s.table != "" && l.sort != sortForeignKey == (r.Reply != nil) {
					add = append(add, on(r, s.table))
				}
			}
		}
		if used {
			tables = append(tables, l.table)
		}
	}
	if tables = uniq(tables); len(tables) > 1 {
		add = slices.CompactFunc(add, func(a, b rules.Rule) bool { return a.Table == b.Table })
		v.report(SharedName, strings.Join(tables, ", "), r.Constraint, add, "",
			"the rule has no On(table), so it is used for each of these tables")
	}
}

// unruled returns what a violation may say without a rule that answers it.
func (v *verification) unruled(l *liveConstraint) (signals []signal) {
	for _, s := range l.signals {
		if r, ok := v.lookup(l, s.name, s.table); !ok || v.live.cockroach && r.Table != "" && r.Table != l.table {
			signals = append(signals, s)
		}
	}
	return signals
}

// checkConstraint checks that a constraint has a rule, of its sort.
func (v *verification) checkConstraint(l *liveConstraint) {
	if v.done[l] {
		return
	}
	type need struct {
		rule           rules.Rule
		missing, inUse bool
	}
	var needs []need
	for _, s := range l.signals {
		r, ok := v.lookup(l, s.name, s.table)
		if !ok || v.live.cockroach && r.Table != "" && r.Table != l.table {
			continue
		}
		i := slices.IndexFunc(needs, func(n need) bool { return n.rule.Name() == r.Name() })
		if i < 0 {
			i = len(needs)
			needs = append(needs, need{rule: r})
		}
		needs[i].missing = needs[i].missing || s.missing
		needs[i].inUse = needs[i].inUse || s.inUse
	}
	for _, n := range needs {
		v.checkSort(l, n.rule, n.missing, n.inUse)
	}
	unruled := v.unruled(l)
	if len(unruled) == 0 || l.generated && len(needs) == 0 {
		return
	}
	if v.live.cockroach && !v.oldKey(l) && len(v.tablesOf(l.name)) > 1 {
		v.reportSharedOnCockroach(MissingRule, l.name, v.violable(l.name))
		return
	}
	if v.oldKey(l) && len(v.sameKey(l)) > 0 {
		v.report(MissingRule, l.table, l.name, nil, "",
			"a primary key of %s has no rule, and can have none: %s has one of the same columns, and this version of CockroachDB names neither table nor key: give it a name of its own",
			strings.Join(l.columns, ", "), strings.Join(v.sameKey(l), ", "))
		return
	}
	columns := ""
	if len(l.columns) > 0 && !slices.Contains(l.columns, "") {
		columns = " of " + strings.Join(l.columns, ", ")
	}
	v.report(MissingRule, l.table, l.name, v.suggest(l, unruled), "",
		"%v%s has no rule: a violation names no field and has the default text", l.sort, columns)
}

// checkSort checks that a rule says what the constraint needs.
func (v *verification) checkSort(l *liveConstraint, r rules.Rule, missing, inUse bool) {
	mended := r
	s := v.suggest(l, []signal{{name: r.Constraint, table: r.Table, missing: missing, inUse: inUse}})[0]
	var problem string
	switch {
	case l.sort != sortForeignKey:
		if r.Reply != nil {
			return
		}
		mended.Reply, mended.Missing, mended.InUse, mended.Columns = s.Reply, nil, nil, nil
		problem = fmt.Sprintf("it is %v: the rule needs Code, and its Missing and InUse are never used", l.sort)
	case r.Reply != nil:
		mended.Reply, mended.Missing, mended.InUse = nil, s.Missing, s.InUse
		mended.Kinded, mended.Status = false, 0
		problem = "it is a foreign key: the rule needs Missing and InUse, and its Code is never used"
	case missing && r.Missing == nil:
		mended.Missing = s.Missing
		problem = "the rule has no Missing: a row that points at nothing gets the default text and no field"
	case inUse && r.InUse == nil:
		mended.InUse = s.InUse
		problem = "the rule has no InUse: deleting a row of " + l.referenced + " that others point at gets the default text"
	default:
		return
	}
	v.report(WrongRule, l.table, r.Constraint, []rules.Rule{mended}, head(r), "%s", problem)
}
