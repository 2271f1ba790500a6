// Package errs translates database errors into errors that are safe to show to
// clients: a 4xx if the client must change something, and otherwise a 5xx.
// It works with CockroachDB and PostgreSQL through pgx v5, pgx v4, lib/pq and
// database/sql.
//
//	package main
//
//	import (
//		"log"
//		"net/http"
//
//		"github.com/rowkeeper/rowkeeper/errs"
//	)
//
//	var catalog = errs.NewCatalog(
//		errs.Constraint("users_email_key").Code("email_taken").Field("/email").Message("This e-mail address is already registered."),
//	)
//
//	func createUser(w http.ResponseWriter, r *http.Request) error {
//		return errs.NotFound // return errors unchanged, such as those of pgx
//	}
//
//	func main() {
//		http.Handle("POST /users", catalog.Handler(createUser))
//		log.Fatal(http.ListenAndServe("localhost:8080", nil))
//	}
//
// The response is a problem details object (RFC 9457). The same violation gives
// the same body on both engines. [Catalog.Middleware] is for handlers that write
// errors themselves, with [Catalog.Write].
//
// Message, Detail, Hint and Where of a database error hold SQL, names of the schema
// and values of rows, including rows of other clients. No text of an [*Error] comes
// from them: it is constant for the kind or registered by the application. Unwrap
// returns the cause: log it, and do not show it.
//
// Every SQLSTATE of PostgreSQL 18 and CockroachDB has a declared [Kind], and each
// class a default for future codes. An error that is not understood is a 500, and
// so is an unknown outcome, since proxies resend a request after a 503.
//
// Package errs/jsonbody decodes request bodies strictly. Package errs/schema
// compares a catalog with a live database. Frameworks use the methods of [*Error]
// (huma, echo v5) or an adapter in the module
// github.com/rowkeeper/rowkeeper/errs/interop (connect-go, grpc-go, goa, echo v4).
package errs
