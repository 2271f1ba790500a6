package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/interop/connectrpc"
	"github.com/rowkeeper/rowkeeper/errs/interop/grpcserver"
)

func errorsAs(err error, target any) bool { return errors.As(err, target) }

func cutBody(wire string) (head, body string, ok bool) { return strings.Cut(wire, "\r\n\r\n") }

const procedure = "/acme.v1.Work/Do"

func connectServer(t testing.TB, w work, opts ...connect.HandlerOption) *httptest.Server {
	mux := http.NewServeMux()
	mux.Handle(procedure, connect.NewUnaryHandler(procedure, func(ctx context.Context, _ *connect.Request[emptypb.Empty]) (*connect.Response[emptypb.Empty], error) {
		if err := w(ctx); err != nil {
			return nil, err
		}
		return connect.NewResponse(&emptypb.Empty{}), nil
	}, opts...))
	mux.Handle(procedure+"Stream", connect.NewServerStreamHandler(procedure+"Stream", func(ctx context.Context, _ *connect.Request[emptypb.Empty], s *connect.ServerStream[emptypb.Empty]) error {
		if err := s.Send(&emptypb.Empty{}); err != nil {
			return err
		}
		return w(ctx)
	}, opts...))
	return listen(t, mux)
}

// serveConnectUnary examines the response on the wire.
func serveConnectUnary(t testing.TB, c *errs.Catalog, w work) func(testing.TB) answer {
	srv := connectServer(t, w, connect.WithInterceptors(connectrpc.Interceptor(c)))
	call := connect.NewClient[emptypb.Empty, emptypb.Empty](srv.Client(), srv.URL+procedure)
	return func(t testing.TB) answer {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL+procedure, bytes.NewReader([]byte("{}")))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		_, wire := get(t, srv, r)
		_, err = call.CallUnary(t.Context(), connect.NewRequest(&emptypb.Empty{}))
		a := connectAnswer(t, err)
		a.wire += wire
		return a
	}
}

func serveConnectStream(t testing.TB, c *errs.Catalog, w work) func(testing.TB) answer {
	return connectStream(t, c, w)
}

func serveConnectGRPC(t testing.TB, c *errs.Catalog, w work) func(testing.TB) answer {
	return connectStream(t, c, w, connect.WithGRPC())
}

func connectStream(t testing.TB, c *errs.Catalog, w work, opts ...connect.ClientOption) func(testing.TB) answer {
	srv := connectServer(t, w, connect.WithInterceptors(connectrpc.Interceptor(c)))
	call := connect.NewClient[emptypb.Empty, emptypb.Empty](srv.Client(), srv.URL+procedure+"Stream", opts...)
	return func(t testing.TB) answer {
		t.Helper()
		stream, err := call.CallServerStream(t.Context(), connect.NewRequest(&emptypb.Empty{}))
		require.NoError(t, err)
		defer func() { _ = stream.Close() }()
		require.True(t, stream.Receive(), stream.Err())
		require.False(t, stream.Receive())
		a := connectAnswer(t, stream.Err())
		a.wire += fmt.Sprint(stream.ResponseHeader(), stream.ResponseTrailer())
		return a
	}
}

func connectAnswer(t testing.TB, err error) answer {
	t.Helper()
	var ce *connect.Error
	require.ErrorAs(t, err, &ce)
	a := answer{rpc: uint32(ce.Code()), detail: ce.Message(), header: ce.Meta(), wire: fmt.Sprint(ce, ce.Meta())}
	for _, d := range ce.Details() {
		v, err := d.Value()
		require.NoError(t, err)
		a.note(v)
	}
	return a
}

func (a *answer) note(detail any) {
	b, _ := json.Marshal(detail)
	a.wire += "\n" + string(b)
	if info, ok := detail.(*errdetails.ErrorInfo); ok {
		a.code = strings.ToLower(info.GetReason())
	}
}

// healthServer is a service with a unary method and a stream.
type healthServer struct {
	health.UnimplementedHealthServer
	work work
}

func (s healthServer) Check(ctx context.Context, _ *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	return nil, s.work(ctx)
}

func (s healthServer) Watch(_ *health.HealthCheckRequest, stream health.Health_WatchServer) error {
	if err := stream.Send(&health.HealthCheckResponse{}); err != nil {
		return err
	}
	return s.work(stream.Context())
}

func dialGRPC(t testing.TB, w work, opts ...grpc.ServerOption) health.HealthClient {
	t.Helper()
	srv := grpc.NewServer(opts...)
	health.RegisterHealthServer(srv, healthServer{work: w})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = conn.Close()
		srv.Stop()
		<-served
	})
	return health.NewHealthClient(conn)
}

func serveGRPCUnary(t testing.TB, c *errs.Catalog, w work) func(testing.TB) answer {
	return grpcUnary(t, w, grpc.UnaryInterceptor(grpcserver.Unary(c)))
}

func grpcUnary(t testing.TB, w work, opts ...grpc.ServerOption) func(testing.TB) answer {
	call := dialGRPC(t, w, opts...)
	return func(t testing.TB) answer {
		t.Helper()
		var header, trailer metadata.MD
		_, err := call.Check(t.Context(), &health.HealthCheckRequest{}, grpc.Header(&header), grpc.Trailer(&trailer))
		return grpcAnswer(t, err, header, trailer)
	}
}

func serveGRPCStream(t testing.TB, c *errs.Catalog, w work) func(testing.TB) answer {
	call := dialGRPC(t, w, grpc.StreamInterceptor(grpcserver.Stream(c)))
	return func(t testing.TB) answer {
		t.Helper()
		stream, err := call.Watch(t.Context(), &health.HealthCheckRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.NoError(t, err)
		_, err = stream.Recv()
		header, herr := stream.Header()
		require.NoError(t, herr)
		return grpcAnswer(t, err, header, stream.Trailer())
	}
}

func grpcAnswer(t testing.TB, err error, header, trailer metadata.MD) answer {
	t.Helper()
	require.Error(t, err)
	st, ok := status.FromError(err)
	require.True(t, ok, err)
	a := answer{rpc: uint32(st.Code()), detail: st.Message(), wire: fmt.Sprint(err, header, trailer)}
	for _, d := range st.Details() {
		a.note(d)
	}
	return a
}
