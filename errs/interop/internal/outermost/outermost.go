// Package outermost finds a framework's own errors.
package outermost

import "github.com/rowkeeper/rowkeeper/errs"

// As is like errors.As, but does not look into the cause of an *errs.Error, which has
// been translated already.
func As[T error](err error) (found T, ok bool) {
	if found, ok = err.(T); ok {
		return found, true
	}
	switch e := err.(type) {
	case *errs.Error:
	case interface{ Unwrap() error }:
		return As[T](e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if found, ok = As[T](inner); ok {
				return found, true
			}
		}
	}
	return found, false
}
