package owner

import (
	"slices"

	"github.com/rowkeeper/rowkeeper/owner/internal/exits"
)

func init() {
	exits.Arguments = func(scope any) []any {
		return scope.(interface{ arguments() []any }).arguments()
	}
	exits.Levels = func(owner any) int {
		if _, ok := owner.(member); ok {
			return 2
		}
		return 1
	}
	exits.Condition = func(condition any, f exits.Fragment, err error) {
		condition.(interface{ become(cond) }).become(cond{node: fragment{f}, err: err})
	}
}

func (s Scope[O]) arguments() []any { return slices.Clone(s.id.arg[:s.id.n]) }

func (c *cond) become(other cond) { *c = other }

// fragment is SQL text of the application's, which was checked to close its own
// parentheses and no others.
type fragment struct{ exits.Fragment }

func (n fragment) write(s *statement) {
	numbers := make([]int, len(n.Args))
	s.text("(")
	for i, piece := range n.Pieces {
		if i > 0 {
			switch arg := n.Uses[i-1]; numbers[arg] {
			case 0:
				s.param(n.Args[arg])
				numbers[arg] = len(s.args)
			default:
				s.ref(numbers[arg])
			}
		}
		s.text(piece)
	}
	s.text(")")
}
