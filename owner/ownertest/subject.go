package ownertest

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/access"
)

// A Subject is what [Run] tests. [Table] and [Select] make one.
type Subject[O comparable] struct {
	_     [0]func(O)
	name  string
	def   *access.Table // or nil
	tells []string
	// probes are what to try with a row of one's own and one of the stranger's.
	probes func(w *world[O], own, row any) []probe
	load   func(ctx context.Context, tx pgx.Tx, w *world[O], who owner.Scope[O]) ([]any, error)
	insert func(ctx context.Context, tx pgx.Tx, w *world[O], who owner.Scope[O]) error
}

// PrimaryKey stands for the primary key of a table, whatever it is called; see
// [Table].
const PrimaryKey = "PRIMARY KEY"

// Table makes a subject of a table, also of one made by owner.NewThrough. List the
// parents before the tables whose rows point at them.
//
// A unique constraint that does not begin with the owner tells by its violation
// that somebody has that value. Run reports it, unless its name is among those
// given, for which that is acceptable: a [PrimaryKey] that clients never choose, or
// user names that are public anyway.
func Table[R any, O comparable](t *owner.Table[R, O], mayTell ...string) Subject[O] {
	s := Subject[O]{name: "a table that was not declared", tells: mayTell}
	if s.def = access.Owner.Describe(t)[0].Table; s.def == nil {
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

// Select makes a subject of any select: of a view, of what owner.GrantedBy makes, or
// one with conditions and joins of the service's own. The function is given each
// owner's scope; View.In and Grant.In are such functions. The name is for messages.
func Select[R any, O comparable](name string, rows func(owner.Scope[O]) owner.Select[R, O]) Subject[O] {
	return Subject[O]{name: name, probes: func(w *world[O], _, _ any) []probe { return selects(rows(w.mine)) }}
}
