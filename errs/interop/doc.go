// Package interop holds adapters that let frameworks answer with the errors of
// package errs: a package for each framework that wants a type of its own, in a
// module of its own, so that nobody has to take them all. They are short; copy
// one if you would rather not import it.
//
//   - connectrpc: an interceptor for connect-go
//   - grpcserver: interceptors for grpc-go
//   - goahttp: endpoint middleware and error formatter for goa
//   - echov4: the error handler for echo v4
//
// huma and echo v5 need none. They take an *errs.Error by its methods, from a
// handler that ends with
//
//	return nil, catalog.Translate(err)
//
// What reaches them without, they answer themselves; huma does it with the
// error's own text, whatever that holds.
//
// # Routers, recovery and compression
//
// catalog.Handler and catalog.Middleware are for net/http, and so for every router around
// it: chi, gorilla, gin, echo. The order is compression outside, then Middleware, then
// recovery, then the router:
//
//	http.ListenAndServe(addr, handlers.CompressHandler(catalog.Middleware(engine)))
//
// A response of which half has been sent can only be ended by a panic with
// http.ErrAbortHandler, which net/http understands and gin's and gorilla's recovery take
// for any other: the half then looks whole. Middleware raises it when everything inside
// has returned, where none of these sees it, and recovers what panics. Recovery that is
// inside nevertheless has to answer by catalog.Write, and to pass http.ErrAbortHandler on,
// which a handler such as httputil.ReverseProxy raises itself; gin's and gorilla's do not.
//
// fiber is no net/http: its adaptor lets http.ErrAbortHandler end the process. Let its
// ErrorHandler answer there.
//
// The file recipes_test.go has a service by each, with its 404 and 405. What ORMs return
// where a row is missing has a rule by errs.Is: drivers/orms_test.go.
//
// # Errors of the framework's own type
//
// A handler may return an error of the framework's own type, such as
// connect.NewError(connect.CodeNotFound, err). It keeps its status and loses its
// text, because that is too often the text of another error. Where the catalog
// understands a cause, its public text takes that place. For a text of your own
// use errs.New with errs.Message.
//
// # Logs
//
// Only echov4 logs, as errs.Catalog.Handler does. The others hand on an error
// that has the *errs.Error and its cause in its Unwrap: whatever logs errors
// outside of the adapter finds them there.
package interop
