// Command consumer uses every adapter of errs/interop as a service does.
package main

import (
	"fmt"
	"net/http"

	"connectrpc.com/connect"
	"github.com/labstack/echo/v4"
	goa "goa.design/goa/v3/pkg"
	"google.golang.org/grpc"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/interop/connectrpc"
	"github.com/rowkeeper/rowkeeper/errs/interop/echov4"
	"github.com/rowkeeper/rowkeeper/errs/interop/goahttp"
	"github.com/rowkeeper/rowkeeper/errs/interop/grpcserver"
)

func main() {
	catalog := errs.NewCatalog(errs.Constraint("accounts_name_key").Code("name_taken").Field("/name"))

	server := grpc.NewServer(grpc.UnaryInterceptor(grpcserver.Unary(catalog)), grpc.StreamInterceptor(grpcserver.Stream(catalog)))
	defer server.Stop()

	e := echo.New()
	e.HTTPErrorHandler = echov4.ErrorHandler(catalog)

	var (
		_ connect.HandlerOption           = connect.WithInterceptors(connectrpc.Interceptor(catalog))
		_ func(goa.Endpoint) goa.Endpoint = goahttp.Middleware(catalog)
		_ http.Handler                    = goahttp.Headers(e)
	)
	fmt.Println("every adapter fits")
}
