package txn

import "github.com/rowkeeper/rowkeeper/txn/internal/wire"

// encodeError is the error of a statement that cannot be sent.
type encodeError struct {
	statement         *wire.Statement
	err               error
	mayBeMisdescribed bool
}

func (e *encodeError) Error() string { return e.err.Error() }
func (e *encodeError) Unwrap() error { return e.err }
