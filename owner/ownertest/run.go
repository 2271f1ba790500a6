package ownertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/access"
	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// DB begins the transaction of [Run]: a *pgxpool.Pool or a *pgx.Conn.
type DB interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// Run tests that the owner mine cannot reach the rows of the stranger in any of the
// subjects, and reports failures with t.Errorf. It tries every operation of package
// owner on every subject with values of the stranger: keys, values, versions,
// cursors, foreign keys and the owner itself. Then it repeats this without the
// stranger's rows. The test fails if the two results differ in a row, a count, or the
// type or text of an error, or if a row of the stranger has changed.
//
// The function seed makes rows for one owner in all tables that are subjects. Run
// calls it with mine and then with the stranger. The stranger must have no rows
// before. The rows that seed makes must belong to that owner alone: rows that both
// may use must exist already. Use different values for the two owners, except in
// columns that are unique within an owner.
//
// If seed is nil, Run makes two rows of each table itself: fields that are numbers,
// strings, bools, times, bytes and UUIDs get values, declared foreign keys point at
// rows made before, and other fields stay zero. If the database refuses these, for
// example because of a CHECK constraint or an enum, the test fails and asks for a
// seed.
//
// Everything happens in one transaction that is rolled back; only sequences advance.
// Use a test database nevertheless: the transaction holds locks while it runs, and
// triggers run too.
//
// Run does not compare how long a statement takes or what it locks. It does not see
// what a constraint trigger or a deferred constraint does at COMMIT, except that
// PostgreSQL checks deferred constraints at once. If policies of row-level security
// depend on a setting, connect as a role that bypasses them: the test is about the
// statements, not the policies.
func Run[O comparable](t testing.TB, db DB, mine, stranger owner.Scope[O], seed func(ctx context.Context, tx pgx.Tx, who owner.Scope[O]) error, subjects ...Subject[O]) {
	t.Helper()
	r, err := check(t.Context(), db, mine, stranger, seed, subjects)
	if err != nil {
		t.Fatalf("ownertest: %v", err)
		return
	}
	for _, text := range report(r.findings) {
		t.Errorf("ownertest: %s", text)
	}
	for _, note := range r.notes {
		t.Logf("ownertest: %s", note)
	}
}

// world is the state of one run.
type world[O comparable] struct {
	mine, stranger owner.Scope[O]
	subjects       []Subject[O]
	cursors        *owner.Cursors
	seal           *core.Cursors // of the same key
	strangers      map[*core.Table][]any
	unique         map[*core.Table][]index
	count          int // number of values made
}

type result struct {
	findings []finding
	notes    []string
}

const attempts = 5

// check runs everything, and repeats it if a conflict with another transaction ended
// it.
func check[O comparable](ctx context.Context, db DB, mine, stranger owner.Scope[O], seed func(context.Context, pgx.Tx, owner.Scope[O]) error, subjects []Subject[O]) (result, error) {
	var r result
	if db == nil {
		return r, errors.New("the database is nil")
	}
	if len(subjects) == 0 {
		return r, errors.New("there is nothing to test; give at least one Table")
	}
	for _, s := range subjects {
		if s.probes == nil {
			return r, fmt.Errorf("%s: make subjects with Table and Select", s.name)
		}
		if s.def == nil {
			continue
		}
		if err := s.def.Complete(); err != nil {
			return r, err
		}
	}
	own, others := access.Owner.Identity(mine), access.Owner.Identity(stranger)
	switch {
	case own.N == 0 || others.N == 0:
		return r, fmt.Errorf("a scope was not made by owner.For: %w", owner.ErrUnscoped)
	case own.Value == others.Value:
		return r, errors.New("mine and stranger are the same owner")
	}
	var err error
	for range attempts {
		r, err = attempt(ctx, db, &world[O]{mine: mine, stranger: stranger, subjects: subjects}, seed)
		var pe *pgconn.PgError
		if !errors.As(err, &pe) || pe.Code != "40001" && pe.Code != "40P01" {
			break
		}
	}
	return r, err
}

func attempt[O comparable](ctx context.Context, db DB, w *world[O], seed func(context.Context, pgx.Tx, owner.Scope[O]) error) (r result, err error) {
	tx, err := db.Begin(ctx)
	if err != nil {
		return r, err
	}
	defer func() {
		err = errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
	}()
	if tx.Conn().PgConn().ParameterStatus("crdb_version") == "" {
		if _, err := tx.Exec(ctx, "set constraints all immediate"); err != nil {
			return r, err
		}
	}
	key := []byte("for tests only: cursors of ownertest")
	if w.cursors, err = owner.NewCursors(key); err != nil {
		return r, err
	}
	if w.seal, err = core.NewCursors(key); err != nil {
		return r, err
	}
	if seed == nil {
		seed = w.make
	}

	before, err := w.fingerprint(ctx, tx)
	if err != nil {
		return r, err
	}
	if len(before) > 0 {
		return r, fmt.Errorf("the stranger has rows before any were made, such as %s; take one who has none", before[0])
	}
	if err := seed(ctx, tx, w.mine); err != nil {
		return r, fmt.Errorf("make rows of mine: %w", err)
	}
	if _, err := tx.Exec(ctx, "savepoint rowkeeper_alone"); err != nil {
		return r, err
	}
	if err := seed(ctx, tx, w.stranger); err != nil {
		return r, fmt.Errorf("make rows of the stranger's: %w", err)
	}
	cases, err := w.cases(ctx, tx)
	if err != nil {
		return r, err
	}
	with, err := w.run(ctx, tx, cases)
	if err != nil {
		return r, err
	}
	for _, sql := range []string{"rollback to savepoint rowkeeper_probe", "rollback to savepoint rowkeeper_alone"} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return r, err
		}
	}
	left, err := w.fingerprint(ctx, tx)
	if err != nil {
		return r, err
	}
	if len(left) > 0 {
		return r, errors.New("the rows made for the stranger outlive their savepoint; does seed use the tx that it is given?")
	}
	without, err := w.run(ctx, tx, cases)
	if err != nil {
		return r, err
	}
	for i, c := range cases {
		if f, bad := c.judge(with[i], without[i]); bad {
			r.findings = append(r.findings, f)
		}
	}
	r.notes = notes(cases, with)
	return r, nil
}

// notes lists operations that fail in the same way on a row of one's own, and so
// prove nothing.
func notes(cases []attack, with []outcome) []string {
	var out []string
	for i, c := range cases {
		j := slices.IndexFunc(cases, func(d attack) bool { return d.subject == c.subject && d.probe.name == c.probe.own })
		if j < 0 || with[i].err == nil || errorText(with[i].err) != errorText(with[j].err) {
			continue
		}
		out = append(out, fmt.Sprintf("%s: %s is not tested, since it fails with a row of one's own in the same way: %v", c.subject, c.probe.own, with[i].err))
	}
	return out
}

// run tries each case from the same state.
func (w *world[O]) run(ctx context.Context, tx pgx.Tx, cases []attack) ([]outcome, error) {
	if _, err := tx.Exec(ctx, "savepoint rowkeeper_probe"); err != nil {
		return nil, err
	}
	before, err := w.fingerprint(ctx, tx)
	if err != nil {
		return nil, err
	}
	out := make([]outcome, len(cases))
	for i, c := range cases {
		o := &out[i]
		o.value, o.err = c.probe.run(ctx, tx)
		var pe *pgconn.PgError
		if errors.As(o.err, &pe) && (pe.Code == "40001" || pe.Code == "40P01") || ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), o.err)
		}
		if o.err == nil && c.probe.kind == writing {
			after, err := w.fingerprint(ctx, tx)
			if err != nil {
				return nil, err
			}
			o.changed = difference(before, after)
		}
		if o.err != nil || c.probe.kind == writing {
			if _, err := tx.Exec(ctx, "rollback to savepoint rowkeeper_probe"); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", c.subject, c.probe.name, err)
			}
		}
	}
	return out, nil
}

// cases reads the rows that were made and returns what to try with them.
func (w *world[O]) cases(ctx context.Context, tx pgx.Tx) ([]attack, error) {
	own := map[*core.Table][]any{}
	w.strangers, w.unique = map[*core.Table][]any{}, map[*core.Table][]index{}
	for _, s := range w.subjects {
		if s.def == nil {
			continue
		}
		for _, of := range []struct {
			whose string
			scope owner.Scope[O]
			into  map[*core.Table][]any
		}{{"mine", w.mine, own}, {"the stranger's", w.stranger, w.strangers}} {
			rows, err := s.load(ctx, tx, w, of.scope)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			if len(rows) == 0 {
				return nil, fmt.Errorf("%s: there are no rows of %s after seed has run; does it make them, and does the owner column hold their owner?", s.name, of.whose)
			}
			of.into[s.def] = rows
		}
	}
	var out []attack
	for _, s := range w.subjects {
		a := attack{subject: s.name}
		var mine, strangers any
		if s.def != nil {
			keys, err := uniqueIndexes(ctx, tx, s.def)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			w.unique[s.def] = keys
			a.tells = accepted(s.tells, keys)
			mine, strangers = fullest(own[s.def]), fullest(w.strangers[s.def])
		}
		for _, a.probe = range s.probes(w, mine, strangers) {
			out = append(out, a)
		}
	}
	return out, nil
}

// fullest returns the row with the fewest zeros, which allows most tests.
func fullest(rows []any) any {
	zeros := func(row any) (n int) {
		v := reflect.ValueOf(row).Elem()
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				n++
			}
		}
		return n
	}
	return slices.MinFunc(rows, func(a, b any) int { return cmp.Compare(zeros(a), zeros(b)) })
}

// report groups findings of one kind.
func report(findings []finding) []string {
	var out []string
	for i, f := range findings {
		same := func(g finding) bool { return g.subject == f.subject && g.class == f.class }
		if slices.ContainsFunc(findings[:i], same) {
			continue
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s: %s:", f.subject, f.class)
		for _, g := range findings {
			if same(g) {
				fmt.Fprintf(&b, "\n\t%s: %s", g.operation, g.detail)
			}
		}
		out = append(out, b.String())
	}
	return out
}
