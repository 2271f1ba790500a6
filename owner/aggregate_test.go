package owner_test

import (
	"testing"

	"github.com/rowkeeper/rowkeeper/owner"
)

// Aggregates do not reveal hidden columns.
func TestAggregatesOfHiddenColumns(t *testing.T) {
	t.Parallel()
	for _, aggregate := range []func(db owner.DB) error{
		func(db owner.DB) error { _, err := OrderSecret.Max(t.Context(), db, Orders.In(me)); return err },
		func(db owner.DB) error { _, err := OrderSecret.Min(t.Context(), db, Orders.In(me)); return err },
	} {
		requireRefused(t, aggregate, "it is hidden, and an aggregate would show it")
	}
}
