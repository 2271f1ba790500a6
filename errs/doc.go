// Package errs turns what the database says into errors that are safe to show:
// the right 4xx, or an honest 5xx.
//
//	var catalog = errs.NewCatalog(
//		errs.Constraint("users_email_key").Code("email_taken").Field("/email").Message("This e-mail address is already registered."),
//	)
//
//	http.Handle("POST /users", catalog.Handler(func(w http.ResponseWriter, r *http.Request) error {
//		// return errors as they come
//	}))
//
// It is for CockroachDB and PostgreSQL, through pgx v5, and also through pgx v4,
// lib/pq and database/sql.
//
// # Safe to show
//
// Message, Detail, Hint and Where of a database error hold SQL, names of the
// schema, and values of rows, also of other people's rows. So no text of an
// [*Error] is taken from one: it is constant for the kind, or registered by the
// application. The cause is there by Unwrap, for logs; do not show that one.
//
// # Which status
//
// A 4xx only if the client must change something. 503 with Retry-After if the
// same request may succeed later. 500 if an engineer must act, which is the
// default for everything that is not understood, and where it is not known
// whether the request was carried out: proxies send a 503 again by themselves.
//
// Each SQLSTATE of PostgreSQL 18 and CockroachDB has a declared meaning, and each
// class one for codes that are yet to come.
//
// # HTTP
//
// [Catalog.Handler] is for handlers that return their error, [Catalog.Middleware]
// for those that write by themselves, with [Catalog.Write]. Errors are problem
// details (RFC 9457), with a code to tell them apart by, a JSON Pointer to each
// field at fault, and the id of the request, which is in the log too. Panics are
// answered and logged. Package errs/jsonbody decodes request bodies strictly.
// [Catalog.WithMessages] speaks the client's language. An error of any package can say which field, parameter
// or header is at fault, see [FieldError].
//
// Frameworks take an [*Error] by its methods (huma, echo v5), or through an adapter
// in github.com/rowkeeper/rowkeeper/errs/interop, a module of its own (connect-go,
// grpc-go, goa, echo v4). Those that print err.Error() print the public text.
//
// # In step with the schema
//
// Package errs/schema compares a catalog with a live database, in a test or at start-up:
// it finds constraints without a rule, and rules without a constraint. On PostgreSQL
// partitions need rules of their own, unless [Catalog.WithPartitions] lets the rules of
// their table hold for them.
//
// # One error for both engines
//
// The same violation gives the same body on both engines. That includes which
// side of a foreign key was at fault, and the column of a NOT NULL, which
// CockroachDB names in the message only.
package errs
