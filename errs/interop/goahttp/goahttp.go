// Package goahttp translates the errors of goa services by package errs.
package goahttp

import (
	"context"
	"errors"
	"net/http"

	goahttp "goa.design/goa/v3/http"
	goa "goa.design/goa/v3/pkg"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/interop/internal/outermost"
)

// Middleware translates the errors that the methods of a service return:
//
//	endpoints.Use(goahttp.Middleware(catalog))
//
// A *goa.ServiceError keeps its name, and with it the status that the design gives
// it, and loses its message; see package interop. Error types that the design
// generates are left unchanged. A nil catalog has the defaults alone. Over goa's gRPC
// an *errs.Error has its public text and the code Unknown.
func Middleware(c *errs.Catalog) func(goa.Endpoint) goa.Endpoint {
	return func(next goa.Endpoint) goa.Endpoint {
		return func(ctx context.Context, req any) (any, error) {
			resp, err := next(ctx, req)
			if err != nil {
				return nil, translate(c, err)
			}
			return resp, nil
		}
	}
}

// Formatter returns the error formatter for generated servers: New(endpoints, mux,
// decoder, encoder, errhandler, goahttp.Formatter(catalog)). It makes a problem
// details object of every error that the design does not name. Errors that goa itself
// finds in a request are left unchanged. Use it together with Middleware.
func Formatter(c *errs.Catalog) func(context.Context, error) goahttp.Statuser {
	return func(ctx context.Context, err error) goahttp.Statuser {
		if own, ok := outermost.As[*goa.ServiceError](err); ok && findings[own.Name] {
			return goahttp.NewErrorResponse(ctx, own)
		}
		err = translate(c, err)
		e, ok := err.(*errs.Error)
		if !ok {
			return goahttp.NewErrorResponse(ctx, err)
		}
		if h, ok := ctx.Value(headerKey{}).(http.Header); ok {
			h.Set("Content-Type", "application/problem+json")
			for name, values := range e.GetHeaders() {
				h[name] = values
			}
		}
		return e
	}
}

// findings are the names of the errors that goa finds before it calls the endpoint.
var findings = map[string]bool{
	goa.InvalidFieldType: true, goa.MissingField: true, goa.InvalidEnumValue: true, goa.InvalidFormat: true, goa.InvalidPattern: true,
	goa.InvalidRange: true, goa.InvalidLength: true, goa.MissingPayload: true, goa.DecodePayload: true, goa.UnsupportedMediaType: true,
}

type headerKey struct{}

// Headers lets Formatter set Retry-After and application/problem+json, for which goa
// has no place. Wrap it around the mux. It is for services that encode in JSON, goa's
// default.
func Headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), headerKey{}, w.Header())))
	})
}

// translate returns an *errs.Error, or a *goa.ServiceError without its text.
func translate(c *errs.Catalog, err error) error {
	var e *errs.Error
	errors.As(c.Translate(err), &e)
	own, ok := outermost.As[*goa.ServiceError](err)
	if !ok {
		return e
	}
	var cause error = e
	if e.Kind() == errs.Internal {
		cause = opaque{own.Name, e}
	}
	return goa.NewServiceError(cause, own.Name, own.Timeout, own.Temporary, own.Fault)
}

// opaque shows only text, and keeps the cause for logs.
type opaque struct {
	text  string
	cause error
}

func (o opaque) Error() string { return o.text }
func (o opaque) Unwrap() error { return o.cause }
