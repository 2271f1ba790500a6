package kind_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/kind"
)

type quotaError struct{ left int }

func (e *quotaError) Error() string   { return fmt.Sprintf("quota exceeded: %d left", e.left) } // for logs
func (e *quotaError) Kind() kind.Kind { return kind.Conflict }
func (e *quotaError) Fields() []kind.FieldError {
	return []kind.FieldError{{Pointer: "/size", Code: "quota_exceeded", Detail: "Your quota is used up."}}
}

// The error of a library says what it means and which field is at fault, and imports
// package kind alone.
func Example() {
	handler := new(errs.Catalog).Handler(func(w http.ResponseWriter, r *http.Request) error {
		return &quotaError{left: 3}
	})
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/files", nil)
	r.Header.Set("X-Request-Id", "7f3a")
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 409 {"type":"about:blank","title":"Conflict","status":409,"detail":"Your quota is used up.","code":"quota_exceeded","errors":[{"pointer":"/size","code":"quota_exceeded","detail":"Your quota is used up."}],"request_id":"7f3a"}
}

func ExampleKind() {
	err := fmt.Errorf("inserting the user: %w", kind.AlreadyExists)
	var k kind.Kind
	if errors.As(err, &k) {
		fmt.Println(k.Status(), k.Code())
		fmt.Println(k)
	}
	fmt.Println(kind.Contention.Resend())
	// Output:
	// 409 already_exists
	// An item with this value already exists.
	// true
}

// Code with responses of its own asks an error for its kind and its fields.
func ExampleFielded() {
	err := fmt.Errorf("upload: %w", &quotaError{left: 3})
	var fielded kind.Fielded
	if errors.As(err, &fielded) {
		fmt.Println(fielded.Kind().Status())
		for _, f := range fielded.Fields() {
			fmt.Println(f.Pointer, f.Detail)
		}
	}
	// Output:
	// 409
	// /size Your quota is used up.
}
