package txn

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/rowkeeper/rowkeeper/txn/internal/sqltext"
)

// share is the part of a transaction that belongs to one call: all of it, or the part
// of a joined call. The call's Tx and its savepoints have it.
type share struct {
	misuse atomic.Pointer[error] // the first one
}

var errNotYours = errors.New("the transaction belongs to the call that runs the function: return nil to commit it, an error to roll it back")

// refuse returns the error of a function that tried to end the transaction itself.
// Nothing was sent, and the call does not commit, as it is unknown which part the
// function considers done.
func (s *share) refuse(what string) error {
	err := fmt.Errorf("%w; the function %s", errNotYours, what)
	s.misuse.CompareAndSwap(nil, &err)
	return s.refused()
}

// admit refuses text that begins or ends a transaction, before any of it is sent.
func (s *share) admit(sql string) error {
	if what := sqltext.Control(sql); what != "" {
		return s.refuse("sent " + what)
	}
	return s.refused()
}

// refused returns the error of everything after misuse, or nil.
func (s *share) refused() error {
	if err := s.misuse.Load(); err != nil {
		return fmt.Errorf("txn: %w", *err)
	}
	return nil
}

// verdict returns the function's error, or its misuse if that was nil.
func (s *share) verdict(name string, returned error) error {
	if err := s.misuse.Load(); err != nil && returned == nil {
		return fmt.Errorf("%s: rolled back: %w", prefix(name), *err)
	}
	return returned
}
