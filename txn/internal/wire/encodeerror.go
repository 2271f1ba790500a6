package wire

// EncodeError is the error of a statement that cannot be sent.
type EncodeError struct {
	Statement         *Statement
	Err               error
	MayBeMisdescribed bool
}

func (e *EncodeError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *EncodeError) Unwrap() error { return e.Err }
