// Package echov4 translates the errors of echo v4 handlers by package errs.
package echov4

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/interop/internal/outermost"
)

// ErrorHandler answers and logs errors as errs.Catalog.Handler does:
//
//	e.HTTPErrorHandler = echov4.ErrorHandler(catalog)
//
// An *echo.HTTPError keeps its status and loses its message; see package interop. A
// nil catalog has the defaults alone.
func ErrorHandler(c *errs.Catalog) echo.HTTPErrorHandler {
	return func(err error, ctx echo.Context) {
		if ctx.Response().Committed {
			if errs.RequestID(ctx.Request().Context()) != "" { // within Catalog.Middleware, which ends the connection
				c.Write(ctx.Response(), ctx.Request(), err)
			}
			return
		}
		var e *errs.Error
		errors.As(c.Translate(err), &e)
		if own, ok := outermost.As[*echo.HTTPError](err); ok && own.Code != e.Status() {
			kind, ok := kindOf(own.Code)
			if !ok {
				ctx.Echo().DefaultHTTPErrorHandler(echo.NewHTTPError(own.Code), ctx)
				return
			}
			err = errs.New(kind, errs.Cause(err))
		}
		c.Handler(func(http.ResponseWriter, *http.Request) error { return err }).ServeHTTP(ctx.Response(), ctx.Request())
	}
}

// kindOf returns the kind that means no more than its status.
func kindOf(status int) (errs.Kind, bool) {
	for _, k := range []errs.Kind{
		errs.Internal, errs.Unavailable, errs.Timeout, errs.Malformed, errs.Unauthenticated, errs.Forbidden, errs.NotFound, errs.MethodNotAllowed,
		errs.Conflict, errs.Stale, errs.TooLarge, errs.Invalid, errs.PreconditionRequired, errs.TooManyRequests,
	} {
		if k.Status() == status {
			return k, true
		}
	}
	return errs.Internal, false
}
