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
