package ownertest

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/access"
	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// A Subject is something that [Run] tests. [Table] and [Select] return one.
type Subject[O comparable] struct {
	_     [0]func(O)
	name  string
	def   *core.Table // nil for a select
	tells []string
	// probes returns what to try with a row of one's own and one of the stranger's.
	probes func(w *world[O], own, row any) []probe
	load   func(ctx context.Context, tx pgx.Tx, w *world[O], who owner.Scope[O]) ([]any, error)
	insert func(ctx context.Context, tx pgx.Tx, w *world[O], who owner.Scope[O]) error
}

// PrimaryKey stands for the primary key of a table, whatever its name; see [Table].
const PrimaryKey = "PRIMARY KEY"

// Table returns a subject that tests a table, which may be made by owner.MustThrough.
// List parents before the tables whose rows point at them.
//
// A violation of a unique constraint that does not begin with the owner reveals that
// another owner has that value. Run reports it, except for the constraints named in
// mayTell. Name those for which this is acceptable: a [PrimaryKey] that clients never
// choose, or user names that are public.
func Table[R any, O comparable](t *owner.Table[R, O], mayTell ...string) Subject[O] {
	s := Subject[O]{name: "a table that was not declared", tells: mayTell}
	if s.def, _ = access.Owner.Declaration(t); s.def == nil {
		return s
	}
	s.name = s.def.Name
	s.load = func(ctx context.Context, tx pgx.Tx, w *world[O], who owner.Scope[O]) ([]any, error) {
		return load[R](ctx, tx, s.def, who)
	}
	s.insert = func(ctx context.Context, tx pgx.Tx, w *world[O], who owner.Scope[O]) error {
		return made(ctx, tx, w, t, s.def, who)
	}
	s.probes = func(w *world[O], own, row any) []probe {
		on := target[R, O]{table: t, def: s.def, in: t.In(w.mine), world: w, own: *own.(*R), row: *row.(*R)}
		return slices.Concat(on.everything(), on.givenValues(), on.reads(), on.writes(), on.inserts())
	}
	return s
}

// Select returns a subject that tests any select: of a view, of owner.GrantedBy, or
// one with conditions and joins of the service. Run calls rows with each owner's
// scope; View.In and Grant.In are such functions. The name is for messages.
func Select[R any, O comparable](name string, rows func(owner.Scope[O]) owner.Select[R, O]) Subject[O] {
	return Subject[O]{name: name, probes: func(w *world[O], _, _ any) []probe { return selects(rows(w.mine)) }}
}
