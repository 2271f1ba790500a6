package rawsql

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/access"
	"github.com/rowkeeper/rowkeeper/owner/internal/sqltext"
)

// A Statement is a whole statement for owners of type O. Make one with
// [MustStatement] or [NewStatement]; the zero Statement is refused.
type Statement[O comparable] struct {
	_     [0]func(O) // prevents conversion between instantiations
	short string
	sql   string
	owner int      // how many of the first parameters come from the scope
	names []string // the names of the other parameters
}

// MustStatement is like [NewStatement] but panics on an error, for package variables.
func MustStatement[O comparable](text constant) Statement[O] {
	s, err := NewStatement[O](text)
	if err != nil {
		panic(err)
	}
	return s
}

// NewStatement returns a statement with a constant text: one SELECT, INSERT, UPSERT,
// UPDATE, DELETE or MERGE, optionally after WITH; see the package comment for its
// rules. It must have the parameter @owner, which the scope fills. If O is an
// [owner.Member], @owner is the user, and @tenant is required too.
func NewStatement[O comparable](text constant) (Statement[O], error) {
	s := Statement[O]{short: sqltext.Short(string(text))}
	parsed, err := sqltext.Statement(string(text))
	if err != nil {
		return Statement[O]{}, s.failed(err)
	}
	order := scopeNames[O]()
	for _, name := range order {
		if !slices.Contains(parsed.Names, name) {
			return Statement[O]{}, s.failed(fmt.Errorf("it has no @%s, so it is not kept to anybody's rows", name))
		}
	}
	s.owner = len(order)
	for _, name := range parsed.Names {
		switch {
		case slices.Contains(order[:s.owner], name):
		case reserved(name):
			return Statement[O]{}, s.failed(fmt.Errorf("the scope fills %v, and not @%s; give the parameter another name", order[:s.owner], name))
		default:
			order = append(order, name)
		}
	}
	s.names = slices.Clip(order[s.owner:])
	s.sql = parsed.SQL(order)
	return s, nil
}

// scopeNames returns the parameters that a scope of O fills, in the order of its
// arguments.
func scopeNames[O comparable]() []string {
	var o O
	if len(access.Owner.OwnerTypes(o)) == 2 {
		return []string{"tenant", "owner"}
	}
	return []string{"owner"}
}

// Exec runs the statement and returns how many rows it changed.
func (s Statement[O]) Exec(ctx context.Context, db owner.DB, scope owner.Scope[O], args Args) (int64, error) {
	values, err := s.arguments(db, scope, args)
	if err != nil {
		return 0, err
	}
	tag, err := db.Exec(ctx, s.sql, values...)
	if err != nil {
		return 0, s.failed(err)
	}
	return tag.RowsAffected(), nil
}

// Query runs the statement and returns its rows, for pgx.CollectRows and similar
// functions. If it returns an error, there are no rows to close. Errors during
// reading are the driver's own.
func (s Statement[O]) Query(ctx context.Context, db owner.DB, scope owner.Scope[O], args Args) (pgx.Rows, error) {
	values, err := s.arguments(db, scope, args)
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, s.sql, values...)
	if err != nil {
		return nil, s.failed(err)
	}
	return rows, nil
}

func (s Statement[O]) arguments(db owner.DB, scope owner.Scope[O], args Args) ([]any, error) {
	if s.sql == "" {
		return nil, fmt.Errorf("rawsql: the Statement was not made by MustStatement")
	}
	who := access.Owner.Identity(scope)
	if who.N != s.owner {
		return nil, s.failed(fmt.Errorf("%w: the scope was not made by owner.For", owner.ErrUnscoped))
	}
	values, err := sqltext.Values(s.names, args)
	if err != nil {
		return nil, s.failed(err)
	}
	if sqltext.Missing(db) {
		return nil, s.failed(fmt.Errorf("the database is nil"))
	}
	return append(who.Arg[:who.N], values...), nil
}

func (s Statement[O]) failed(err error) error {
	return fmt.Errorf("rawsql: statement %q: %w", s.short, err)
}
