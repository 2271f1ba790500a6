// Package interop contains adapters that make frameworks answer with the errors of
// package errs. Each framework that requires an error type of its own has a package.
// They are in a module of their own, so that package errs does not depend on the
// frameworks. The adapters are short; you can copy one instead of importing it.
//
//   - connectrpc: an interceptor for connect-go
//   - grpcserver: interceptors for grpc-go
//   - goahttp: endpoint middleware and error formatter for goa
//   - echov4: the error handler for echo v4, the only one that logs
//
// huma and echo v5 need none: return catalog.Translate(err) from their handlers. They
// answer an untranslated error themselves; huma sends its text to the client.
//
// # Routers, recovery and compression
//
// catalog.Handler and catalog.Middleware are for net/http, and so for every router
// around it: chi, gorilla, gin, echo. The order is compression outside, then
// Middleware, then recovery, then the router:
//
//	http.ListenAndServe(addr, handlers.CompressHandler(catalog.Middleware(engine)))
//
// A half-sent response can only be ended by a panic with http.ErrAbortHandler, which
// net/http understands. The recovery of gin and gorilla takes it for any other panic,
// and the half then looks complete. Middleware raises it after everything inside has
// returned, and recovers panics itself. A recovery inside must answer by
// catalog.Write and pass on http.ErrAbortHandler, which a handler such as
// httputil.ReverseProxy also raises; those of gin and gorilla do not. fiber is not
// based on net/http: its adaptor lets http.ErrAbortHandler end the process. Answer in
// its ErrorHandler instead.
//
// The file recipes_test.go has a service for each router, with its 404 and 405. The
// file drivers/orms_test.go has rules by errs.Is for the errors of ORMs that mean a
// missing row.
//
// # Errors of the framework's own type
//
// A handler may return an error of the framework's own type, such as
// connect.NewError(connect.CodeNotFound, err). It keeps its status and loses its
// text, because that is often the text of another error. If the catalog understands a
// cause, its public text takes that place. For a text of your own use errs.New with
// errs.Message. The adapters that do not log return an error whose Unwrap leads to
// the *errs.Error and its cause.
package interop
