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
// It is for CockroachDB and PostgreSQL through pgx v5.
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
// # One error for both engines
//
// The same violation gives the same body on both engines. That includes which
// side of a foreign key was at fault, and the column of a NOT NULL, which
// CockroachDB names in the message only.
package errs
