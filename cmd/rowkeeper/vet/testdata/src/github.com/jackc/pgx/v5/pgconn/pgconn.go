// Package pgconn stands in for the real one.
package pgconn

type CommandTag struct{}

func (CommandTag) RowsAffected() int64 { return 0 }

type PgError struct{ Code string }

func (*PgError) Error() string { return "" }
