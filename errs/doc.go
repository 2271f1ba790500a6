// Package errs translates database errors, such as constraint violations and all other
// SQLSTATEs, into errors that are safe to show to clients: a 4xx if the client must
// change something, and otherwise a 5xx. It works with CockroachDB and PostgreSQL
// through pgx v5, pgx v4, lib/pq and database/sql.
//
//	package main
//
//	import (
//		"context"
//		"log"
//		"net/http"
//		"os"
//
//		"github.com/jackc/pgx/v5/pgxpool"
//		"github.com/rowkeeper/rowkeeper/errs"
//	)
//
//	var catalog = errs.NewCatalog(
//		errs.Constraint("users_email_key").Code("email_taken").Field("/email"), // a 409
//	)
//
//	func main() {
//		pool, err := pgxpool.New(context.Background(), os.Getenv("DATABASE_URL"))
//		if err != nil {
//			log.Fatal(err)
//		}
//		http.Handle("POST /users", catalog.Handler(func(w http.ResponseWriter, r *http.Request) error {
//			_, err := pool.Exec(r.Context(), "insert into users (email) values ($1)", r.FormValue("email"))
//			return err // unchanged: the handler translates it
//		}))
//		log.Fatal(http.ListenAndServe("localhost:8080", nil))
//	}
//
// The response is a problem details object (RFC 9457), the same on both engines. No text
// of an [*Error] comes from the database, whose messages hold SQL, names of the schema
// and values of rows: it is constant for the kind or registered by the application.
//
// Every SQLSTATE of PostgreSQL 18 and CockroachDB has a declared [Kind], and each class a
// default for future codes. An error that is not understood is a 500, and so is an
// unknown outcome, since proxies resend a request after a 503.
//
// Package errs/jsonbody decodes request bodies strictly. Package errs/schema finds
// constraints without a rule. [Catalog.Middleware] is for handlers that write errors
// themselves. Frameworks use the methods of [*Error] (huma, echo v5) or an adapter in the
// module github.com/rowkeeper/rowkeeper/errs/interop (connect-go, grpc-go, goa, echo v4).
package errs
