package errs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Verify compares the catalog with the live schema, and says what to add and
// what to drop. It is meant for a test that runs after the migrations, where
// [Catalog.VerifyT] does it, and for start-up, where nothing it finds is a reason not
// to serve:
//
//	for _, f := range findings {
//		slog.Warn("errs: " + f.String())
//	}
//
// Findings are ordered by kind, table and name; the same schema and catalog give
// the same findings. One that does not matter, such as a MissingRule for a table
// that no client writes to, is passed over by its Kind, Table and Name.
//
// It looks at the schemas that are on the search_path and there, at the
// partitions of their tables wherever they are, and at the domains that they
// use: unique and primary keys, unique indexes, check, foreign key and exclusion
// constraints, also those that are not validated, since new rows have to keep
// them. A violation is taken through the lookup of [Catalog.Translate] with what
// the server would say of it, which may be the name of a partition; with
// [Catalog.WithPartitions] the rules of its parent will do. Partitions are reported
// with their parent, once.
//
// It asks for no rule for a primary key that the server makes up: one with an
// identity column, or a column whose default calls a function, as
// gen_random_uuid() and nextval do. A NOT NULL column needs none either, because
// a NULL there is the service's own fault unless a rule says otherwise. Tables
// and domains of extensions are left out, and the ledger of package txn is. Constraint triggers are not seen: the
// name that they raise is in their code only.
//
// Rules by [SQLState], [Is] and [As] have nothing in the schema to compare with.
//
// It reads the system catalogs in three queries, and no row of any table. The
// error is that of the database, or says that there is no schema to look at. A
// nil Catalog has no rules.
func (c *Catalog) Verify(ctx context.Context, db Querier) ([]Finding, error) {
	if isNilQuerier(db) {
		return nil, errors.New("errs: Verify: the database is nil")
	}
	live, err := readSchema(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("errs: Verify: %w", err)
	}
	v := &verification{catalog: c, live: live, done: map[*liveConstraint]bool{}, doneColumns: map[*liveColumn]bool{}}
	c.each(func(r Rule) { v.rules = append(v.rules, r) })
	slices.SortFunc(v.rules, func(a, b Rule) int { return cmp.Compare(a.name(), b.name()) })
	v.underParents()

	for _, r := range v.rules {
		switch {
		case r.column != "":
			v.checkColumnRule(r)
		case r.domain != "":
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

func isNilQuerier(db Querier) bool {
	d := reflect.ValueOf(db)
	return !d.IsValid() || d.Kind() == reflect.Pointer && d.IsNil()
}

// each gives every rule for something that a schema has.
func (c *Catalog) each(do func(Rule)) {
	if c == nil {
		return
	}
	for _, r := range c.rules {
		if r.constraint != "" || r.column != "" || r.domain != "" {
			do(r)
		}
	}
}

type verification struct {
	catalog *Catalog
	live    *liveSchema
	rules   []Rule
	done    map[*liveConstraint]bool // said all there is to say
	found   []Finding

	doneColumns map[*liveColumn]bool
}

func (v *verification) say(kind FindingKind, table, name string, add []Rule, drop, format string, args ...any) {
	v.found = append(v.found, Finding{
		Kind: kind, Table: table, Name: name,
		Problem: fmt.Sprintf(format, args...), Add: sources(add), Drop: drop,
	})
}

// lookup finds the rule that Translate would.
func (v *verification) lookup(l *liveConstraint, name, table string) (Rule, bool) {
	r := v.catalog.constraintRule(&pgconn.PgError{
		Code: l.sort.sqlState(), ConstraintName: name, TableName: table,
		Detail: "Key (" + strings.Join(l.columns, ", ") + ")=(", // keyColumns looks for it
	})
	if r == nil {
		return Rule{}, false
	}
	return *r, true
}

// written reports whether there is a rule for that name and table, or for that
// name and any table.
func (v *verification) written(name, table string) bool {
	return slices.ContainsFunc(v.rules, func(r Rule) bool {
		return r.constraint == name && (r.table == "" || r.table == table)
	})
}

// withName gives the constraints that may be named so by the server.
func (v *verification) withName(name string) (found []*liveConstraint) {
	for _, l := range v.live.constraints {
		if l.hasName(name) {
			found = append(found, l)
		}
	}
	return found
}

// contenders are those of that name which a client may violate.
func (v *verification) contenders(name string) []*liveConstraint {
	named := v.withName(name)
	if all := slices.DeleteFunc(slices.Clone(named), func(l *liveConstraint) bool { return l.generated }); len(all) > 0 {
		return all
	}
	return named
}

func (v *verification) tablesOf(name string) (tables []string) {
	for _, l := range v.contenders(name) {
		tables = append(tables, l.table)
	}
	return uniq(tables)
}

// checkRule looks whether a rule has a constraint, and only one if it names no
// table.
func (v *verification) checkRule(r Rule) {
	named := v.withName(r.constraint)
	if v.checkKey(r, named) {
		return
	}
	if len(named) == 0 {
		for _, l := range v.live.constraints {
			if l.name == r.constraint && len(l.signals) > 0 {
				v.done[l] = true
				v.say(WrongRule, l.table, r.constraint, v.suggest(l, v.unruled(l)), r.head(),
					"the server never names it: a violation has the name of the partition's own")
				return
			}
		}
		v.say(StaleRule, r.table, r.constraint, nil, r.head(),
			"no constraint or unique index of the schema %s has this name", strings.Join(v.live.searched, ", "))
		return
	}
	if r.table == "" {
		v.checkGeneral(r, named)
		return
	}
	for _, l := range named {
		if l.has(r.constraint, r.table) || l.sort == sortDomain || v.live.cockroach && l.table == r.table {
			return
		}
	}
	var add []Rule
	for _, l := range named {
		if l.table == r.table {
			v.done[l] = true
			v.say(WrongRule, l.table, r.constraint, v.suggest(l, v.unruled(l)), r.head(),
				"%s has partitions, and the server names the partition instead of it", r.table)
			return
		}
		if !v.done[l] && !v.written(r.constraint, l.table) {
			v.done[l] = true
			add = append(add, v.suggest(l, v.unruled(l))...)
		}
	}
	v.say(StaleRule, r.table, r.constraint, add, r.head(),
		"this table has no such constraint, only %s has", strings.Join(v.tablesOf(r.constraint), ", "))
}

// checkGeneral looks at a rule for any table. CockroachDB could not use others.
func (v *verification) checkGeneral(r Rule, named []*liveConstraint) {
	if v.live.cockroach {
		return
	}
	var tables []string
	var add []Rule
	for _, l := range named {
		used := false
		for _, s := range l.signals {
			if got, ok := v.lookup(l, s.name, s.table); ok && s.name == r.constraint && got.table == "" {
				used = true
				if s.table != "" && l.sort != sortForeignKey == (r.reply != nil) {
					add = append(add, r.On(s.table))
				}
			}
		}
		if used {
			tables = append(tables, l.table)
		}
	}
	if tables = uniq(tables); len(tables) > 1 {
		add = slices.CompactFunc(add, func(a, b Rule) bool { return a.table == b.table })
		v.say(SharedName, strings.Join(tables, ", "), r.constraint, add, "",
			"the rule has no On(table), so it is used for each of these tables")
	}
}

// unruled gives what a violation may say and no rule answers to.
func (v *verification) unruled(l *liveConstraint) (signals []signal) {
	for _, s := range l.signals {
		if r, ok := v.lookup(l, s.name, s.table); !ok || v.live.cockroach && r.table != "" && r.table != l.table {
			signals = append(signals, s)
		}
	}
	return signals
}

// checkConstraint looks whether a constraint has a rule, of its sort.
func (v *verification) checkConstraint(l *liveConstraint) {
	if v.done[l] {
		return
	}
	type need struct {
		rule           Rule
		missing, inUse bool
	}
	var needs []need
	for _, s := range l.signals {
		r, ok := v.lookup(l, s.name, s.table)
		if !ok || v.live.cockroach && r.table != "" && r.table != l.table {
			continue
		}
		i := slices.IndexFunc(needs, func(n need) bool { return n.rule.name() == r.name() })
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
		v.saySharedOnCockroach(MissingRule, l.name, v.contenders(l.name))
		return
	}
	if v.oldKey(l) && len(v.sameKey(l)) > 0 {
		v.say(MissingRule, l.table, l.name, nil, "",
			"a primary key of %s has no rule, and can have none: %s has one of the same columns, and this version of CockroachDB names neither table nor key: give it a name of its own",
			strings.Join(l.columns, ", "), strings.Join(v.sameKey(l), ", "))
		return
	}
	columns := ""
	if len(l.columns) > 0 && !slices.Contains(l.columns, "") {
		columns = " of " + strings.Join(l.columns, ", ")
	}
	v.say(MissingRule, l.table, l.name, v.suggest(l, unruled), "",
		"%v%s has no rule: a violation names no field and has the default text", l.sort, columns)
}

// checkSort looks whether a rule says what is needed for the constraint.
func (v *verification) checkSort(l *liveConstraint, r Rule, missing, inUse bool) {
	mended := r
	s := v.suggest(l, []signal{{name: r.constraint, table: r.table, missing: missing, inUse: inUse}})[0]
	var problem string
	switch {
	case l.sort != sortForeignKey:
		if r.reply != nil {
			return
		}
		mended.reply, mended.missing, mended.inUse = s.reply, nil, nil
		problem = fmt.Sprintf("it is %v: the rule needs Code, and its Missing and InUse are never used", l.sort)
	case r.reply != nil:
		mended.reply, mended.missing, mended.inUse = nil, s.missing, s.inUse
		mended.kinded, mended.status = false, 0
		problem = "it is a foreign key: the rule needs Missing and InUse, and its Code is never used"
	case missing && r.missing == nil:
		mended.missing = s.missing
		problem = "the rule has no Missing: a row that points at nothing gets the default text and no field"
	case inUse && r.inUse == nil:
		mended.inUse = s.inUse
		problem = "the rule has no InUse: deleting a row of " + l.referenced + " that others point at gets the default text"
	default:
		return
	}
	v.say(WrongRule, l.table, r.constraint, []Rule{mended}, r.head(), "%s", problem)
}
