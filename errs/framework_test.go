package errs_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// As in google.golang.org/grpc/codes.
func TestEveryKindHasItsRPCCode(t *testing.T) {
	t.Parallel()
	want := map[errs.Kind]uint32{
		errs.Internal:             13, // Internal
		errs.OutcomeUnknown:       2,  // Unknown
		errs.Unavailable:          14, // Unavailable
		errs.Contention:           14, // Unavailable
		errs.Timeout:              4,  // DeadlineExceeded
		errs.Canceled:             1,  // Canceled
		errs.Malformed:            3,  // InvalidArgument
		errs.Unauthenticated:      16, // Unauthenticated
		errs.Forbidden:            7,  // PermissionDenied
		errs.NotFound:             5,  // NotFound
		errs.MethodNotAllowed:     12, // Unimplemented
		errs.Conflict:             9,  // FailedPrecondition
		errs.AlreadyExists:        6,  // AlreadyExists
		errs.StillReferenced:      9,  // FailedPrecondition
		kind.InFlight:             14, // Unavailable
		errs.Stale:                10, // Aborted
		errs.TooLarge:             8,  // ResourceExhausted
		errs.Invalid:              3,  // InvalidArgument
		errs.Required:             3,  // InvalidArgument
		errs.ReferenceNotFound:    3,  // InvalidArgument
		kind.KeyReused:            3,  // InvalidArgument
		errs.NotAcceptable:        3,  // InvalidArgument
		errs.UnsupportedMediaType: 3,  // InvalidArgument
		errs.PreconditionRequired: 9,  // FailedPrecondition
		errs.TooManyRequests:      8,  // ResourceExhausted
	}
	var kinds int
	for k := errs.Internal; k.Kind() == k; k++ {
		kinds++
		var e *errs.Error
		require.ErrorAs(t, errs.New(k), &e)
		require.Contains(t, want, k, k.Code())
		require.Equal(t, want[k], e.RPCCode(), k.Code())
		// Clients resend a call that is Unavailable.
		require.Equal(t, k.Resend(), e.RPCCode() == 14 || k == errs.TooManyRequests, k.Code())
	}
	require.Len(t, want, kinds)
}

func TestFrameworksFindStatusAndHeaders(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err     error
		status  int
		headers http.Header
	}{
		{errs.New(errs.AlreadyExists), 409, http.Header{}},
		{errs.New(errs.Contention), 503, http.Header{"Retry-After": {"1"}}},
		{errs.New(errs.TooManyRequests, errs.RetryAfter(1500*time.Millisecond)), 429, http.Header{"Retry-After": {"2"}}},
		{errs.New(errs.Unauthenticated), 401, http.Header{"Www-Authenticate": {"Bearer"}}},
		{errs.New(errs.OutcomeUnknown), 500, http.Header{}},
	} {
		var found interface {
			error
			GetStatus() int
			StatusCode() int
			GetHeaders() http.Header
			ContentType(string) string
		}
		require.True(t, errors.As(fmt.Errorf("wrapped: %w", test.err), &found))
		require.Equal(t, test.status, found.GetStatus())
		require.Equal(t, test.status, found.StatusCode())
		require.Equal(t, test.headers, found.GetHeaders())
		require.Equal(t, "application/problem+json", found.ContentType("application/cbor"))
		found.GetHeaders().Set("Retry-After", "99")
		require.Equal(t, test.headers, found.GetHeaders(), "one caller changes another's")
	}
}
