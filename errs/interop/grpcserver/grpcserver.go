// Package grpcserver translates the errors of grpc-go handlers by package errs.
package grpcserver

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/interop/internal/outermost"
	"github.com/rowkeeper/rowkeeper/errs/interop/internal/rpcdetail"
)

// Unary returns an interceptor that translates the errors of handlers. The status has
// the kind's code and public text, and details (google.rpc ErrorInfo, BadRequest,
// RetryInfo). A nil catalog has the defaults alone.
//
// A status that the handler returns keeps its code and details and loses its message;
// see package interop.
func Unary(c *errs.Catalog) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		resp, err := next(ctx, req)
		if err != nil {
			return nil, translate(c, err, info.FullMethod)
		}
		return resp, nil
	}
}

// Stream is like [Unary], for streams.
func Stream(c *errs.Catalog) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		if err := next(srv, stream); err != nil {
			return translate(c, err, info.FullMethod)
		}
		return nil
	}
}

type withStatus interface {
	error
	GRPCStatus() *status.Status
}

// failure is a status whose cause can still be logged.
type failure struct {
	status *status.Status
	cause  error
}

func (f failure) Error() string              { return f.status.Message() }
func (f failure) GRPCStatus() *status.Status { return f.status }
func (f failure) Unwrap() error              { return f.cause }

func translate(c *errs.Catalog, err error, method string) error {
	var e *errs.Error
	errors.As(c.Translate(err), &e)
	if own, ok := outermost.As[withStatus](err); ok && own.GRPCStatus().Code() != codes.OK {
		p := own.GRPCStatus().Proto()
		p.Message = e.Error()
		if e.Kind() == errs.Internal {
			p.Message = own.GRPCStatus().Code().String()
		}
		return failure{status.FromProto(p), e}
	}
	st := status.New(codes.Code(e.RPCCode()), e.Error())
	var details []protoadapt.MessageV1
	for _, m := range rpcdetail.Of(e, method) {
		details = append(details, protoadapt.MessageV1Of(m))
	}
	if detailed, err := st.WithDetails(details...); err == nil {
		st = detailed
	}
	return failure{st, e}
}
