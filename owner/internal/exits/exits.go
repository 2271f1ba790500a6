// Package exits is how owner/rawsql and owner/across reach what package owner
// keeps from everybody else. Package owner sets the variables when it starts.
package exits

// A Fragment is SQL text with an argument between each two pieces of it.
type Fragment struct {
	Pieces []string
	Uses   []int // which argument stands between a piece and the next
	Args   []any
}

var (
	// Arguments returns what to send for the owner of an owner.Scope: tenant and
	// user of a Member, otherwise one value. There are none if owner.For did not
	// make the scope.
	Arguments func(scope any) []any

	// Levels returns how many values name an owner of that type: 2 for a Member,
	// and otherwise 1.
	Levels func(owner any) int

	// Condition makes an *owner.Condition the fragment in parentheses, or one that
	// fails with the error.
	Condition func(condition any, f Fragment, err error)
)
