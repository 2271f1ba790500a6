package owner

import (
	"reflect"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

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
// that belongs to the whole tenant for TenantID. Its scope is that of the tenant alone,
// For(me.Owner().Tenant).
type Member[T, U comparable] struct {
	Tenant T
	User   U
}

type member interface {
	types() []reflect.Type
	identity() (core.Identity, error)
}

func (Member[T, U]) types() []reflect.Type {
	return []reflect.Type{reflect.TypeFor[T](), reflect.TypeFor[U]()}
}

func (m Member[T, U]) identity() (core.Identity, error) {
	tenant, err := checkedOwner(m.Tenant)
	if err != nil {
		return core.Identity{}, err
	}
	user, err := checkedOwner(m.User)
	if err != nil {
		return core.Identity{}, err
	}
	return core.Identity{N: 2, Value: [2]any{m.Tenant, m.User}, Arg: [2]any{tenant, user}}, nil
}

// ownerTypes returns the types of the columns that hold an owner of type O.
func ownerTypes[O comparable]() []reflect.Type {
	var o O
	if m, ok := any(o).(member); ok {
		return m.types()
	}
	return []reflect.Type{reflect.TypeFor[O]()}
}
