package owner

import (
	"context"
	"fmt"
	"reflect"
)

type contextKey[O comparable] struct{}

// NewContext returns a copy of ctx that carries the scope. It is for middleware that
// knows the caller before the handler runs.
func NewContext[O comparable](ctx context.Context, s Scope[O]) context.Context {
	return context.WithValue(ctx, contextKey[O]{}, s)
}

// FromContext returns the scope that [NewContext] put into ctx. It fails with
// [ErrUnscoped] if there is none, if its owner is of another type than O, or if it is
// the zero Scope.
func FromContext[O comparable](ctx context.Context) (Scope[O], error) {
	s, ok := ctx.Value(contextKey[O]{}).(Scope[O])
	if !ok {
		return Scope[O]{}, fmt.Errorf("%w: the context carries no owner of type %s", ErrUnscoped, reflect.TypeFor[O]())
	}
	if err := s.id.Check(); err != nil {
		return Scope[O]{}, err
	}
	return s, nil
}
