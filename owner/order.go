package owner

import "github.com/rowkeeper/rowkeeper/owner/internal/core"

// An Order sorts rows by a column; see [ColumnOf.Asc] and [ColumnOf.Desc].
type Order[R any] struct {
	_       [0]func(R)
	untyped core.Order
}
