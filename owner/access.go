package owner

import (
	"reflect"

	"github.com/rowkeeper/rowkeeper/owner/internal/access"
	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

func init() { access.Owner = accessor{} }

// accessor gives packages schema, rawsql and ownertest the untyped values. They do not
// have the type arguments, so it finds the values by methods.
type accessor struct{}

func (s Scope[O]) identity() core.Identity           { return s.id }
func (s Select[R, O]) query() core.Query             { return s.q }
func (c *ColumnOf[R, V]) set(column *core.Column)    { c.col = column }
func (r *Reference[C, P]) set(ref *core.Reference)   { r.ref = ref }
func (c *Condition[R]) set(condition core.Condition) { c.untyped = condition }

func (accessor) Declaration(declared any) (*core.Table, *core.Grant) {
	if d, ok := declared.(AnyTable); ok {
		return d.declaration()
	}
	return nil, nil
}

func (accessor) Identity(scope any) core.Identity {
	return scope.(interface{ identity() core.Identity }).identity()
}

func (accessor) OwnerTypes(owner any) []reflect.Type {
	if m, ok := owner.(member); ok {
		return m.types()
	}
	return []reflect.Type{reflect.TypeOf(owner)}
}

func (accessor) Query(rows any) core.Query {
	return rows.(interface{ query() core.Query }).query()
}

func (accessor) Set(into, value any) {
	switch value := value.(type) {
	case *core.Column:
		into.(interface{ set(*core.Column) }).set(value)
	case *core.Reference:
		into.(interface{ set(*core.Reference) }).set(value)
	case core.Condition:
		into.(interface{ set(core.Condition) }).set(value)
	}
}
