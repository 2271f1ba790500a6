package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

// operation is one call of the package under test.
type operation struct {
	kind     string
	claim    prove.Claim
	tx       bool             // needs a transaction
	queued   bool             // sends nothing itself, so it is proven and not run
	empty    bool             // may send nothing
	misuse   bool             // must be refused before anything is sent
	refusal  func(error) bool // whether that is the error, if it matters
	run      func(ctx context.Context, db owner.DB) error
	expected func(cockroach bool) outcome // by the oracle, before
	result   func(cockroach bool) error   // compares what came of a call that succeeded, and carries it out in the oracle
}

// outcome is a permitted end of a call: one of the errors, or success if there are
// none.
type outcome []error

// sqlState is an error of the database.
type sqlState string

func (s sqlState) Error() string { return "SQLSTATE " + string(s) }

const (
	uniqueViolation  sqlState = "23505"
	notNullViolation sqlState = "23502"
	outOfRange       sqlState = "22003"
	noKey            sqlState = "42830" // CockroachDB's, for a part of a key without a default
	noFunction       sqlState = "42883"
)

// errScan stands for the driver's error if a field is too small.
var errScan = errors.New("a value that does not fit the field")

// check compares the end of a call with the expected one.
func (o outcome) check(err error) error {
	if len(o) == 0 {
		if err != nil {
			return fmt.Errorf("it failed: %w", err)
		}
		return nil
	}
	for _, want := range o {
		if want == nil && err == nil || want != nil && errors.Is(err, want) {
			return nil
		}
		if want == errScan && errors.As(err, new(pgx.ScanArgError)) {
			return nil
		}
		var state sqlState
		var pgErr *pgconn.PgError
		if errors.As(want, &state) && errors.As(err, &pgErr) && pgErr.Code == string(state) {
			return nil
		}
	}
	return fmt.Errorf("it ended with %v instead of one of %v", err, []error(o))
}

// store is an entity of any types.
type store interface {
	ddl(cockroach bool) string
	load(ctx context.Context, db owner.DB) ([]string, error)
	known() []string
	fill(ctx context.Context, db owner.DB, s *source) error
}

func (e *entity[R, O]) claim(verb prove.Verb, who actor) prove.Claim {
	c := prove.Claim{Tables: e.w.tables, Table: e.model, Verb: verb}
	if e.args != nil {
		c.Owner = e.args(who)
	}
	return c
}

func (e *entity[R, O]) key(fields ...int) {
	columns := make([]owner.AnyColumn[R], len(fields))
	for i, f := range fields {
		columns[i] = e.fields[f].column
	}
	k := conflictKey[R]{columns: columns}
	if slices.Equal(fields, e.keyFields()) {
		for i, f := range e.fields {
			if f.pk {
				k.fields = append(k.fields, i)
			}
		}
	} else {
		for i, f := range e.fields {
			if f.owner || f.parent {
				k.fields = append(k.fields, i)
			}
		}
		k.fields = append(k.fields, fields...)
		e.unique = append(e.unique, k.fields)
	}
	e.keys = append(e.keys, k)
}

// uniques returns all sets of fields that are unique together.
func (e *entity[R, O]) uniques() [][]int {
	var pk []int
	for i, f := range e.fields {
		if f.pk {
			pk = append(pk, i)
		}
	}
	return append([][]int{pk}, e.unique...)
}

// rival returns the index of another row that is equal in those fields, or -1.
func (e *entity[R, O]) rival(rows []R, r *R, but int, fields []int) int {
	for i := range rows {
		if i == but {
			continue
		}
		if !slices.ContainsFunc(fields, func(f int) bool { return !equal(e.fields[f].get(&rows[i]), e.fields[f].get(r)) }) {
			return i
		}
	}
	return -1
}

// twice reports whether two rows have the same values in unique fields.
func (e *entity[R, O]) twice(rows []R) bool {
	for _, fields := range e.uniques() {
		for i := range rows {
			if e.rival(rows, &rows[i], i, fields) >= 0 {
				return true
			}
		}
	}
	return false
}

// pickKey draws the values of a key, often those of an existing row.
func (e *entity[R, O]) pickKey(s *source) (args, key []any) {
	var like *R
	if len(e.rows) > 0 && !s.one(4) {
		like = &e.rows[s.n(len(e.rows))]
	}
	for _, k := range e.keyFields() {
		f := e.fields[k]
		v := f.draw(s)
		if like != nil {
			v = reflectValue(f.at(like))
		}
		args = append(args, v)
		key = append(key, f.eval(v))
	}
	return args, key
}

// find returns the index of the actor's row with that key, or -1.
func (e *entity[R, O]) find(key []any, who actor) int {
	return slices.IndexFunc(e.rows, func(r R) bool { return e.owns(&r, who) && e.hasKey(&r, key) })
}

// points reports whether all foreign keys of a row are NULL or reach the actor's
// rows. If only is not nil, it checks those that have one of its fields.
func (e *entity[R, O]) points(r *R, who actor, only func(field int) bool) bool {
	for _, p := range e.refs {
		if only != nil && !slices.ContainsFunc(p.fields, only) {
			continue
		}
		key := make([]any, len(p.fields))
		null := false
		for i, f := range p.fields {
			key[i] = e.fields[f].get(r)
			null = null || key[i] == nil
		}
		if !null && !p.reach(key, who) {
			return false
		}
	}
	return true
}

func (e *entity[R, O]) register() {
	in := func(s *source, who actor) owner.Scoped[R, O] {
		return e.table.In(e.scope(who))
	}
	e.w.ops = append(e.w.ops, e.reads(func(s *source, who actor) owner.Select[R, O] { return in(s, who).Select })...)
	e.w.ops = append(e.w.ops, e.insertOne, e.insertMany, e.update, e.updateWhere, e.remove, e.removeWhere, e.transfer, e.queue, e.unscoped)
	if len(e.keys) > 0 {
		e.w.ops = append(e.w.ops, e.upsert)
	}
	e.w.ops = append(e.w.ops, e.patch)
	e.w.ops = append(e.w.ops, readings(e.reading)...)
}

// unscoped uses a scope that For did not create: nothing may be sent.
func (e *entity[R, O]) unscoped(s *source, who actor) *operation {
	in := e.table.In(owner.Scope[O]{})
	op := &operation{kind: "unscoped", claim: e.claim(prove.Read, who), misuse: true}
	n := s.n(6)
	op.run = func(ctx context.Context, db owner.DB) (err error) {
		switch n {
		case 0:
			_, err = in.All(ctx, db)
		case 1:
			_, err = in.Count(ctx, db)
		case 2:
			err = in.Insert(ctx, db, new(R))
		case 3:
			_, err = in.DeleteWhere(owner.And[R]()).Exec(ctx, db)
		case 4:
			err = in.InsertMany(ctx, db, make([]R, 2))
		default:
			_, err = in.Exists(ctx, db)
		}
		return err
	}
	return op
}
