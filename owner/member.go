package owner

import "reflect"

// A Member is an owner with two levels: a user within a tenant. Give it to [For], and
// declare the tables whose rows belong to users of tenants with it:
//
//	type Draft struct {
//		Tenant TenantID `db:"tenant_id" owner:"tenant,pk"`
//		User   UserID   `db:"user_id"   owner:"owner"`
//		ID     int64    `db:"id"        owner:"pk"`
//	}
//	var Drafts = owner.MustTable[Draft, owner.Member[TenantID, UserID]]("drafts")
//
// The tenant and the user are then two conditions of every statement. Declare a table
// that belongs to the whole tenant for TenantID, and use it with the scope that
// [Tenant] returns.
type Member[T, U comparable] struct {
	Tenant T
	User   U
}

// Tenant returns the scope of the member's tenant, for tables that belong to the
// tenant as a whole. For the zero Scope it returns the zero Scope.
func Tenant[T, U comparable](s Scope[Member[T, U]]) Scope[T] {
	if s.id.n == 0 {
		return Scope[T]{}
	}
	return Scope[T]{owner: s.owner.Tenant, id: identity{n: 1, value: [2]any{s.id.value[0]}, arg: [2]any{s.id.arg[0]}}}
}

type member interface {
	types() []reflect.Type
	identity() (identity, error)
}

func (Member[T, U]) types() []reflect.Type {
	return []reflect.Type{reflect.TypeFor[T](), reflect.TypeFor[U]()}
}

func (m Member[T, U]) identity() (identity, error) {
	tenant, err := checkedOwner(m.Tenant)
	if err != nil {
		return identity{}, err
	}
	user, err := checkedOwner(m.User)
	if err != nil {
		return identity{}, err
	}
	return identity{n: 2, value: [2]any{m.Tenant, m.User}, arg: [2]any{tenant, user}}, nil
}

// ownerTypes returns the types of the columns that hold an owner of type O.
func ownerTypes[O comparable]() []reflect.Type {
	var o O
	if m, ok := any(o).(member); ok {
		return m.types()
	}
	return []reflect.Type{reflect.TypeFor[O]()}
}
