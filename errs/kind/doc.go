// Package kind defines what an error means to the client of a service: not found,
// already exists, unavailable. Each [Kind] has an HTTP status, a code for machines and
// a public text. Packages txn, owner and errs share the kinds without importing each
// other. Package errs has the same names, so that most programs import only errs.
//
// Import this package to give an error of a library a meaning without depending on
// errs. An error is understood by its method Kind, and can name the fields of the
// request that are at fault by its method Fields:
//
//	package main
//
//	import (
//		"fmt"
//		"log"
//		"net/http"
//
//		"github.com/rowkeeper/rowkeeper/errs"
//		"github.com/rowkeeper/rowkeeper/errs/kind"
//	)
//
//	type quotaError struct{ left int }
//
//	func (e *quotaError) Error() string   { return fmt.Sprintf("quota exceeded: %d left", e.left) } // for logs
//	func (e *quotaError) Kind() kind.Kind { return kind.Conflict }
//	func (e *quotaError) Fields() []kind.FieldError {
//		return []kind.FieldError{{Pointer: "/size", Code: "quota_exceeded", Detail: "Your quota is used up."}}
//	}
//
//	func main() {
//		handler := new(errs.Catalog).Handler(func(w http.ResponseWriter, r *http.Request) error {
//			return &quotaError{left: 3} // 409 with the code quota_exceeded
//		})
//		log.Fatal(http.ListenAndServe("localhost:8080", handler))
//	}
//
// The client never sees the text of such an error, only what Fields returns and the
// constant text of the kind.
package kind
