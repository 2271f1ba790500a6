package owner

import (
	"reflect"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// The functions of this file return the error with which [MustTable], [MustThrough] and
// [MustView] panic. Those with a type of rows make no [Table] and no [View], whose methods
// the compiler would have to build for each type that is wrong.

// TableError returns the error of a table with rows R, or nil.
func TableError[R any, O comparable](name string, options ...TableOption[R]) error {
	return DeclarationError(func() { declare(name, &core.Table{OwnerTypes: ownerTypes[O]()}, options) })
}

// ThroughError returns the error of a table with rows R through that parent, or nil.
func ThroughError[R any](name string, parent AnyTable) error {
	through, _ := parent.declaration()
	return DeclarationError(func() { declare[R](name, &core.Table{Through: through, OwnerTypes: through.OwnerTypes}, nil) })
}

// ViewError returns the error of a view with rows V, or nil.
func ViewError[V any](of AnyTable, options ...ViewOption) error {
	base, _ := of.declaration()
	return DeclarationError(func() { declareView(reflect.TypeFor[V](), base, options) })
}

// DeclarationError returns the error with which a declaration panics, or nil.
func DeclarationError(declare func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = r.(error)
		}
	}()
	declare()
	return nil
}
