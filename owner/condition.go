package owner

import "github.com/rowkeeper/rowkeeper/owner/internal/core"

// A Condition chooses among the rows of the owner and can never reach others. Columns
// make conditions; [And], [Or] and [Not] combine them; [Reference.Has] and
// [Reference.To] look at other tables. The zero Condition is an error of the
// statement.
type Condition[R any] struct {
	_       [0]func(R) // prevents conversion between instantiations
	untyped core.Condition
}

// And is true if all conditions are. Without conditions it is true.
func And[R any](conditions ...Condition[R]) Condition[R] {
	return combine("and", conditions)
}

// Or is true if at least one of the conditions is. Without conditions it is false.
func Or[R any](conditions ...Condition[R]) Condition[R] {
	return combine("or", conditions)
}

// Not is true if the condition is false. If the condition is NULL, because it
// compares with a column that is NULL, Not of it is not true either.
func Not[R any](condition Condition[R]) Condition[R] {
	return Condition[R]{untyped: core.Not(condition.untyped)}
}

func combine[R any](op string, conditions []Condition[R]) Condition[R] {
	if len(conditions) == 1 {
		return conditions[0]
	}
	parts, err := untyped(nil, conditions)
	if err != nil {
		return failing[R](err)
	}
	return Condition[R]{untyped: core.Combine(op, parts)}
}

func failing[R any](err error) Condition[R] { return Condition[R]{untyped: core.Failing(err)} }

// untyped appends the conditions and returns the first error in them.
func untyped[R any](to []core.Condition, conditions []Condition[R]) ([]core.Condition, error) {
	if len(conditions) == 0 {
		return to, nil
	}
	out := make([]core.Condition, len(to), len(to)+len(conditions))
	copy(out, to)
	for i := range conditions {
		if err := conditions[i].untyped.Check(); err != nil {
			return out, err
		}
		out = append(out, conditions[i].untyped)
	}
	return out, nil
}
