package errs_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/rowkeeper/rowkeeper/errs"
)

// A mux with handlers that write errors themselves: a panic is answered, and each
// request has an id.
func ExampleCatalog_Middleware() {
	catalog := errs.NewCatalog().WithLogger(slog.New(slog.DiscardHandler))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ok", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "request ", errs.RequestID(r.Context()))
	})
	mux.HandleFunc("GET /broken", func(http.ResponseWriter, *http.Request) {
		var users []string
		fmt.Println(users[0])
	})
	handler := catalog.Middleware(mux)

	for _, path := range []string{"/ok", "/broken"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("X-Request-Id", "7f3a")
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 request 7f3a
	// 500 {"type":"about:blank","title":"Internal Server Error","status":500,"detail":"Internal error.","code":"internal","request_id":"7f3a"}
}

// A handler with another signature.
func ExampleCatalog_Write() {
	catalog := errs.NewCatalog()
	type action func(r *http.Request) (status int, err error)
	adapt := func(a action) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			status, err := a(r)
			if err != nil {
				catalog.Write(w, r, err)
				return
			}
			w.WriteHeader(status)
		})
	}
	handler := catalog.Middleware(adapt(func(*http.Request) (int, error) { return 0, errs.NotFound }))

	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/users/7", nil)
	r.Header.Set("X-Request-Id", "7f3a")
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 404 {"type":"about:blank","title":"Not Found","status":404,"detail":"Not found.","code":"not_found","request_id":"7f3a"}
}
