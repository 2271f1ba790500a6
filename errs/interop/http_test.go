package interop_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	_ "github.com/danielgtaylor/huma/v2/formats/cbor" // so that a client can ask for it
	echov4 "github.com/labstack/echo/v4"
	"github.com/labstack/echo/v5"
	"github.com/stretchr/testify/require"
	goahttp "goa.design/goa/v3/http"
	goa "goa.design/goa/v3/pkg"

	"github.com/rowkeeper/rowkeeper/errs"
	adaptecho "github.com/rowkeeper/rowkeeper/errs/interop/echov4"
	adaptgoa "github.com/rowkeeper/rowkeeper/errs/interop/goahttp"
)

// client requests /work.
func client(srv *httptest.Server) func(testing.TB) answer {
	return func(t testing.TB) answer {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/work", nil)
		require.NoError(t, err)
		r.Header.Set("Accept", "application/cbor, application/json;q=0.5")
		resp, wire := get(t, srv, r)
		a := answer{status: resp.StatusCode, header: resp.Header, wire: wire}
		var body struct {
			Status int
			Detail string
			Code   string
		}
		_, text, _ := cutBody(wire)
		if json.Unmarshal([]byte(text), &body) == nil {
			a.detail, a.code = body.Detail, body.Code
			if body.Status != 0 {
				require.Equal(t, resp.StatusCode, body.Status)
			}
		}
		return a
	}
}

func serveHuma(t testing.TB, c *errs.Catalog, w work) func(testing.TB) answer {
	return humaThat(t, func(ctx context.Context) error { return c.Translate(w(ctx)) })
}

// humaThat serves handlers that return errors unchanged.
func humaThat(t testing.TB, w work) func(testing.TB) answer {
	mux := http.NewServeMux()
	huma.Get(humago.New(mux, huma.DefaultConfig("work", "1.0.0")), "/work", func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		return nil, w(ctx)
	})
	return client(listen(t, mux))
}

func serveEchoV5(t testing.TB, c *errs.Catalog, w work) func(testing.TB) answer {
	return echoV5That(t, func(ctx context.Context) error { return c.Translate(w(ctx)) })
}

func echoV5That(t testing.TB, w work) func(testing.TB) answer {
	e := echo.New()
	e.Logger = slog.New(slog.DiscardHandler)
	e.GET("/work", func(ctx *echo.Context) error { return w(ctx.Request().Context()) })
	return client(listen(t, e))
}

func serveEchoV4(t testing.TB, c *errs.Catalog, w work) func(testing.TB) answer {
	return echoV4That(t, adaptecho.ErrorHandler(c), w)
}

func echoV4That(t testing.TB, h echov4.HTTPErrorHandler, w work) func(testing.TB) answer {
	e := echov4.New()
	e.Logger.SetOutput(io.Discard)
	if h != nil {
		e.HTTPErrorHandler = h
	}
	e.GET("/work", func(ctx echov4.Context) error { return w(ctx.Request().Context()) })
	return client(listen(t, e))
}

func serveGoa(t testing.TB, c *errs.Catalog, w work) func(testing.TB) answer {
	return goaThat(t, adaptgoa.Middleware(c), adaptgoa.Formatter(c), adaptgoa.Headers, w)
}

// goaThat is the code that goa generates for a service with one method, without
// payload or result, whose design names the error "not_found" for status 404.
func goaThat(t testing.TB, middleware func(goa.Endpoint) goa.Endpoint, formatter func(context.Context, error) goahttp.Statuser,
	headers func(http.Handler) http.Handler, w work) func(testing.TB) answer {
	endpoint := goa.Endpoint(func(ctx context.Context, _ any) (any, error) { return nil, w(ctx) })
	if middleware != nil {
		endpoint = middleware(endpoint)
	}
	encodeError := func(ctx context.Context, w http.ResponseWriter, err error) error {
		var en goa.GoaErrorNamer
		if errorsAs(err, &en) && en.GoaErrorName() == "not_found" {
			var res *goa.ServiceError
			errorsAs(err, &res)
			enc := goahttp.ResponseEncoder(ctx, w)
			w.Header().Set("goa-error", res.GoaErrorName())
			w.WriteHeader(http.StatusNotFound)
			return enc.Encode(goahttp.NewErrorResponse(ctx, res))
		}
		return goahttp.ErrorEncoder(goahttp.ResponseEncoder, formatter)(ctx, w, err)
	}
	mux := goahttp.NewMuxer()
	mux.Handle("GET", "/work", func(w http.ResponseWriter, r *http.Request) {
		// goa's ResponseEncoder answers in the format that is listed first.
		ctx := context.WithValue(r.Context(), goahttp.AcceptTypeKey, "application/json")
		if _, err := endpoint(ctx, nil); err != nil {
			if err := encodeError(ctx, w, err); err != nil {
				t.Error(err)
			}
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if headers == nil {
		return client(listen(t, mux))
	}
	return client(listen(t, headers(mux)))
}

// serveGoaDecode behaves like goa when it cannot decode the request.
func serveGoaDecode(t testing.TB, err error) func(testing.TB) answer {
	mux := goahttp.NewMuxer()
	encodeError := goahttp.ErrorEncoder(goahttp.ResponseEncoder, adaptgoa.Formatter(quiet()))
	mux.Handle("GET", "/work", func(w http.ResponseWriter, r *http.Request) {
		if err := encodeError(r.Context(), w, err); err != nil {
			t.Error(err)
		}
	})
	return client(listen(t, adaptgoa.Headers(mux)))
}
