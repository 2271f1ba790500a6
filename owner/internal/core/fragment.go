package core

// Fragment returns the condition that is SQL text in pieces, with an argument between
// each two: uses has the index of the argument between a piece and the next. Package
// rawsql has checked that parentheses are balanced. err says that something is wrong.
func Fragment(pieces []string, uses []int, args []any, err error) Condition {
	return Condition{node: fragment{pieces, uses, args}, err: err}
}

type fragment struct {
	pieces []string
	uses   []int
	args   []any
}

func (n fragment) write(s *Statement) {
	numbers := make([]int, len(n.args))
	s.text("(")
	for i, piece := range n.pieces {
		if i > 0 {
			switch arg := n.uses[i-1]; numbers[arg] {
			case 0:
				s.param(n.args[arg])
				numbers[arg] = len(s.args)
			default:
				s.ref(numbers[arg])
			}
		}
		s.text(piece)
	}
	s.text(")")
}
