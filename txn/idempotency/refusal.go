package idempotency

import (
	"errors"
	"time"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// refusal is the error of a call that was refused because of its key. It names the
// header.
type refusal struct {
	error
	kind       kind.Kind
	retryAfter time.Duration
}

// nameHeader returns err as a refusal if the key caused it.
func nameHeader(err error) error {
	var of interface{ Kind() kind.Kind }
	if !errors.As(err, &of) {
		return err
	}
	r := refusal{error: err, kind: of.Kind()}
	if r.kind != kind.KeyReused && r.kind != kind.InFlight {
		return err
	}
	if later, ok := of.(interface{ RetryAfter() time.Duration }); ok {
		r.retryAfter = later.RetryAfter()
	}
	return r
}

func (r refusal) Unwrap() error             { return r.error }
func (r refusal) Kind() kind.Kind           { return r.kind }
func (r refusal) RetryAfter() time.Duration { return r.retryAfter }

func (r refusal) Fields() []kind.FieldError {
	return []kind.FieldError{{Header: Header, Code: r.kind.Code(), Detail: r.kind.Error()}}
}
