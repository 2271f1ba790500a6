package errs

import (
	"net/http"
	"strconv"
	"time"
)

// The methods below are those by which frameworks take an error without
// knowing its type. They look for them through wrapping errors, so return what
// [Catalog.Translate] gave, or wrap it. Adapters for frameworks that want a type
// of their own are in errs/interop.

// StatusCode is [Error.Status], under the name that echo v5, goa and go-kit
// look for.
func (e *Error) StatusCode() int { return e.Status() }

// GetStatus is [Error.Status], under the name that huma looks for.
func (e *Error) GetStatus() int { return e.Status() }

// GetHeaders gives the response headers that belong to the error: Retry-After
// in seconds where [Error.RetryAfter] is not zero, and the challenge that RFC
// 9110 wants with status 401, which is Bearer. The caller may keep and change
// it. Without headers it is empty, not nil.
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
		h.Set("WWW-Authenticate", "Bearer") // which opens no dialog in a browser
	}
	return h
}

// ContentType is [ProblemContentType] whatever the client would like, because
// JSON is the only format that an *Error has. huma asks for it.
func (e *Error) ContentType(string) string { return ProblemContentType }

// RPCCode is the code of gRPC and Connect for the kind, by number:
// codes.Code(e.RPCCode()), connect.Code(e.RPCCode()). It is never 0, which is OK.
func (e *Error) RPCCode() uint32 {
	code, ok := rpcCodes[e.kind.Kind()]
	if !ok {
		code = rpcInternal // 0 would be OK
	}
	return uint32(code)
}

type rpcCode uint32

// As in google.golang.org/grpc/codes.
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
	// Clients and proxies send a call that was Unavailable again by themselves,
	// and it may have been carried out.
	OutcomeUnknown: rpcUnknown,
	Unavailable:    rpcUnavailable,
	// Nothing was committed and this very call may be sent again: that is
	// Unavailable. Aborted asks the client to read again first, as for Stale.
	Contention: rpcUnavailable,
	Timeout:    rpcDeadlineExceeded,
	Canceled:   rpcCanceled,

	Malformed:        rpcInvalidArgument,
	Unauthenticated:  rpcUnauthenticated,
	Forbidden:        rpcPermissionDenied,
	NotFound:         rpcNotFound,
	MethodNotAllowed: rpcUnimplemented,

	// FailedPrecondition: sending it again is no use until other data changed.
	Conflict:        rpcFailedPrecondition,
	AlreadyExists:   rpcAlreadyExists,
	StillReferenced: rpcFailedPrecondition,
	// The same call, with its key, is right once the first has ended.
	InFlight: rpcUnavailable,
	// A test-and-set that failed: read, then try again (AIP-154).
	Stale: rpcAborted,
	// What gRPC and Connect say themselves of a message that is too large.
	TooLarge: rpcResourceExhausted,

	// It is the argument that must change. A reference that points at nothing
	// is a wrong argument too, not a state for somebody else to mend first;
	// NotFound would deny the resource that the call is about.
	Invalid:           rpcInvalidArgument,
	Required:          rpcInvalidArgument,
	ReferenceNotFound: rpcInvalidArgument,
	KeyReused:         rpcInvalidArgument,

	NotAcceptable:        rpcInvalidArgument,
	UnsupportedMediaType: rpcInvalidArgument,
	PreconditionRequired: rpcFailedPrecondition,
	TooManyRequests:      rpcResourceExhausted,
}
