// Package access converts values of the types of package owner into the values of package
// core that they hold, and back, for the packages beside it.
package access

import (
	"reflect"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// Owner is set by package owner when it is initialized, and never changed.
var Owner Accessor

// An Accessor knows the types of package owner, which this package cannot import. What is
// of a type of package owner is an any here.
type Accessor interface {
	// Declaration returns the table of an owner.AnyTable, and the grant if it is an
	// owner.Grant. The table is nil for a value that package owner did not make.
	Declaration(declared any) (*core.Table, *core.Grant)

	// Identity returns the identity of an owner.Scope. Its N is 0 if owner.For did not
	// make the scope.
	Identity(scope any) core.Identity

	// OwnerTypes returns the types of the columns that hold an owner: two for an
	// owner.Member, otherwise one.
	OwnerTypes(owner any) []reflect.Type

	// Query returns the query of an owner.Select.
	Query(rows any) core.Query

	// Set sets what into points to: an owner.ColumnOf to a *core.Column, an
	// owner.Reference to a *core.Reference, an owner.Condition to a core.Condition.
	Set(into, value any)
}
