package owner

import (
	"reflect"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// A Scope is the owner for whom statements run. Only [For] makes one; every statement
// refuses the zero Scope with [ErrUnscoped].
//
// A Scope does not prove who the caller is: make it from the result of
// authentication, never from a field of the request.
type Scope[O comparable] struct {
	owner O
	id    core.Identity
}

// For returns the scope of owner o. For a [Member] it checks both parts.
//
// It refuses, with [ErrUnscoped], a value that may stand for "nobody" or "everybody":
//   - the zero value, a blank string, and zeros in any form: "0", the all-zero
//     UUID as bytes or as text;
//   - a driver.Valuer that yields NULL, an error, or one of the above;
//   - types that cannot name an owner: pointers, interfaces, bools, floats,
//     structs that are not a driver.Valuer, arrays of anything but bytes.
//
// For an owner that is a UUID, define a struct around the UUID type of your choice,
// which then has its methods for pgx and for JSON:
//
//	type UserID struct{ uuid.UUID }
//
// A type that is defined as type UserID uuid.UUID has none of these methods, and pgx
// cannot send it in the modes exec and simple protocol.
func For[O comparable](o O) (Scope[O], error) {
	if m, ok := any(o).(member); ok {
		id, err := m.identity()
		if err != nil {
			return Scope[O]{}, err
		}
		return Scope[O]{owner: o, id: id}, nil
	}
	arg, err := checkedOwner(o)
	if err != nil {
		return Scope[O]{}, err
	}
	return Scope[O]{owner: o, id: core.Identity{N: 1, Value: [2]any{o}, Arg: [2]any{arg}}}, nil
}

// Owner returns the owner, or the zero value for the zero Scope.
func (s Scope[O]) Owner() O { return s.owner }

// checkedOwner returns the argument to send for o, which it checks.
func checkedOwner[O comparable](o O) (any, error) {
	return core.OwnerArgument(reflect.TypeFor[O](), o, argument(o))
}
