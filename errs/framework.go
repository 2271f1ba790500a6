package errs

import (
	"net/http"
	"strconv"
	"time"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// Frameworks find an error by the methods below without knowing its type. They look
// for them through wrapped errors, so return the result of [Catalog.Translate], or
// wrap it. Adapters for frameworks that require a type of their own are in
// errs/interop.

// StatusCode is like [Error.Status], with the name that echo v5, goa and go-kit look
// for.
func (e *Error) StatusCode() int { return e.Status() }

// GetStatus is like [Error.Status], with the name that huma looks for.
func (e *Error) GetStatus() int { return e.Status() }

// GetHeaders returns the response headers of the error: Retry-After in seconds if
// [Error.RetryAfter] is not zero, and for status 401 the challenge that RFC 9110
// requires, which is Bearer. The caller may keep and change the header. Without
// entries it is empty, not nil.
func (e *Error) GetHeaders() http.Header {
	h := http.Header{}
	if after := e.RetryAfter(); after > 0 {
		seconds := int64(after / time.Second)
		if after%time.Second > 0 {
			seconds++
		}
		h.Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	if e.Status() == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer") // Bearer opens no dialog in a browser
	}
	return h
}

// ContentType returns application/problem+json (RFC 9457) for every argument, because JSON is the
// only format of an *Error. huma calls it.
func (e *Error) ContentType(string) string { return problemContentType }

// RPCCode returns the number of the code of gRPC and Connect for the kind:
// codes.Code(e.RPCCode()), connect.Code(e.RPCCode()). It is never 0, which is OK.
func (e *Error) RPCCode() uint32 {
	code, ok := rpcCodes[e.kind.Kind()]
	if !ok {
		code = rpcInternal // 0 would be OK
	}
	return uint32(code)
}

type rpcCode uint32

// The codes of google.golang.org/grpc/codes.
const (
	rpcCanceled           rpcCode = 1
	rpcUnknown            rpcCode = 2
	rpcInvalidArgument    rpcCode = 3
	rpcDeadlineExceeded   rpcCode = 4
	rpcNotFound           rpcCode = 5
	rpcAlreadyExists      rpcCode = 6
	rpcPermissionDenied   rpcCode = 7
	rpcResourceExhausted  rpcCode = 8
	rpcFailedPrecondition rpcCode = 9
	rpcAborted            rpcCode = 10
	rpcUnimplemented      rpcCode = 12
	rpcInternal           rpcCode = 13
	rpcUnavailable        rpcCode = 14
	rpcUnauthenticated    rpcCode = 16
)

var rpcCodes = map[Kind]rpcCode{
	Internal: rpcInternal,
	// Clients and proxies resend a call that was Unavailable, and this one may have
	// been carried out.
	OutcomeUnknown: rpcUnknown,
	Unavailable:    rpcUnavailable,
	// Nothing was committed and the same call may be sent again: Unavailable. Aborted
	// asks the client to read again first, as for Stale.
	Contention: rpcUnavailable,
	Timeout:    rpcDeadlineExceeded,
	Canceled:   rpcCanceled,

	Malformed:        rpcInvalidArgument,
	Unauthenticated:  rpcUnauthenticated,
	Forbidden:        rpcPermissionDenied,
	NotFound:         rpcNotFound,
	MethodNotAllowed: rpcUnimplemented,

	// FailedPrecondition: resending is of no use until other data has changed.
	Conflict:        rpcFailedPrecondition,
	AlreadyExists:   rpcAlreadyExists,
	StillReferenced: rpcFailedPrecondition,
	// The same call, with its key, succeeds once the first has ended.
	kind.InFlight: rpcUnavailable,
	// A failed test-and-set: read, then try again (AIP-154).
	Stale: rpcAborted,
	// gRPC and Connect report a message that is too large with this code.
	TooLarge: rpcResourceExhausted,

	// The argument must change. A reference that points at nothing is a wrong
	// argument too, not a state for somebody else to repair first; NotFound would
	// deny the resource that the call is about.
	Invalid:           rpcInvalidArgument,
	Required:          rpcInvalidArgument,
	ReferenceNotFound: rpcInvalidArgument,
	kind.KeyReused:    rpcInvalidArgument,

	NotAcceptable:        rpcInvalidArgument,
	UnsupportedMediaType: rpcInvalidArgument,
	PreconditionRequired: rpcFailedPrecondition,
	TooManyRequests:      rpcResourceExhausted,
}
