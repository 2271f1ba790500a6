package idempotency

import (
	"errors"
	"time"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// headerError is the error of a call that failed because of its key. It names the
// header.
type headerError struct {
	error
	kind       kind.Kind
	retryAfter time.Duration
}

// nameHeader returns err as a headerError if the key caused it.
func nameHeader(err error) error {
	var of interface{ Kind() kind.Kind }
	if !errors.As(err, &of) {
		return err
	}
	e := headerError{error: err, kind: of.Kind()}
	if e.kind != kind.KeyReused && e.kind != kind.InFlight {
		return err
	}
	if later, ok := of.(interface{ RetryAfter() time.Duration }); ok {
		e.retryAfter = later.RetryAfter()
	}
	return e
}

func (e headerError) Unwrap() error             { return e.error }
func (e headerError) Kind() kind.Kind           { return e.kind }
func (e headerError) RetryAfter() time.Duration { return e.retryAfter }

func (e headerError) Fields() []kind.FieldError {
	return []kind.FieldError{{Header: Header, Code: e.kind.Code(), Detail: e.kind.Error()}}
}
