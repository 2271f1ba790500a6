package txn

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// share is what one call has of a transaction: all of it, or what a joined call
// does in it. The call's Tx has it, and so have the savepoints on that.
type share struct {
	misuse atomic.Pointer[error] // the first one
}

var errNotYours = errors.New("the transaction belongs to the call that runs the function: return nil to commit it, an error to roll it back")

// refuse is the error of a function that tried to end the transaction itself.
// Nothing was sent, and the call does not commit, because nobody knows what the
// function takes for done.
func (s *share) refuse(what string) error {
	err := fmt.Errorf("%w; the function %s", errNotYours, what)
	s.misuse.CompareAndSwap(nil, &err)
	return s.refused()
}

// admit refuses a text that begins or ends a transaction, before anything of it is
// sent.
func (s *share) admit(sql string) error {
	if what := control(sql); what != "" {
		return s.refuse("sent " + what)
	}
	return s.refused()
}

// refused is the error of everything after that, or nil.
func (s *share) refused() error {
	if err := s.misuse.Load(); err != nil {
		return fmt.Errorf("txn: %w", *err)
	}
	return nil
}

// verdict is what the function of the call returned, or its misuse if that was nil.
func (s *share) verdict(name string, returned error) error {
	if err := s.misuse.Load(); err != nil && returned == nil {
		return fmt.Errorf("%s: rolled back: %w", prefix(name), *err)
	}
	return returned
}
