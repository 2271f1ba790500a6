package owner

import "database/sql/driver"

// argument returns the argument to pass to pgx for v. If only *V has the Value
// method, pgx would not find it on a V.
func argument[V any](v V) any {
	if _, ok := any(v).(driver.Valuer); ok {
		return v
	}
	if p, ok := any(&v).(driver.Valuer); ok {
		return p
	}
	return v
}
