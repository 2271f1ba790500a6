// Package connectrpc translates the errors of connect-go handlers by package errs.
package connectrpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/interop/internal/outermost"
	"github.com/rowkeeper/rowkeeper/errs/interop/internal/rpcdetail"
)

// Interceptor translates the errors that handlers return, unary and streaming. It
// does not change calls of clients. The error has the kind's code and public text,
// details (google.rpc ErrorInfo, BadRequest, RetryInfo), and Retry-After in its
// metadata. A nil catalog has the defaults alone.
//
// A *connect.Error keeps its code and details and loses its text and metadata; see
// package interop.
func Interceptor(c *errs.Catalog) connect.Interceptor { return interceptor{c} }

type interceptor struct{ catalog *errs.Catalog }

func (i interceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		resp, err := next(ctx, r)
		if err == nil || r.Spec().IsClient {
			return resp, err
		}
		return nil, i.translate(err, r.Spec().Procedure)
	}
}

func (i interceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		if err := next(ctx, conn); err != nil {
			return i.translate(err, conn.Spec().Procedure)
		}
		return nil
	}
}

func (i interceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (i interceptor) translate(err error, procedure string) error {
	var e *errs.Error
	errors.As(i.catalog.Translate(err), &e)
	if own, ok := outermost.As[*connect.Error](err); ok {
		out := connect.NewError(own.Code(), e)
		if e.Kind() == errs.Internal {
			out = connect.NewError(own.Code(), opaque{own.Code().String(), e})
		}
		for _, d := range own.Details() {
			out.AddDetail(d)
		}
		return out
	}
	out := connect.NewError(connect.Code(e.RPCCode()), e)
	for _, m := range rpcdetail.Of(e, procedure) {
		if d, err := connect.NewErrorDetail(m); err == nil {
			out.AddDetail(d)
		}
	}
	if after := e.GetHeaders().Get("Retry-After"); after != "" {
		out.Meta().Set("Retry-After", after)
	}
	return out
}

// opaque shows only text, and keeps the cause for logs.
type opaque struct {
	text  string
	cause error
}

func (o opaque) Error() string { return o.text }
func (o opaque) Unwrap() error { return o.cause }
