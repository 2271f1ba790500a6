package jsonbody_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
)

func ExampleDecode() {
	type payment struct {
		Amount int64 `json:"amount"`
	}
	handler := new(errs.Catalog).Handler(func(w http.ResponseWriter, r *http.Request) error {
		p, err := jsonbody.Decode[payment](w, r)
		if err != nil {
			return err
		}
		fmt.Println("paid", p.Amount)
		return nil
	})
	for _, body := range []string{`{"amount": 5}`, `{"amount": "5"}`} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/payments", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Request-Id", "7f3a")
		handler.ServeHTTP(w, r)
		fmt.Println(strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Body)))
	}
	// Output:
	// paid 5
	// 200
	// 422 {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"This value must be a whole number from -9223372036854775808 to 9223372036854775807.","code":"wrong_type","errors":[{"pointer":"/amount","code":"wrong_type","detail":"This value must be a whole number from -9223372036854775808 to 9223372036854775807."}],"request_id":"7f3a"}
}

func ExampleMaxBytes() {
	r := httptest.NewRequest("POST", "/notes", strings.NewReader(`{"text": "a long story"}`))
	_, err := jsonbody.Decode[struct{ Text string }](httptest.NewRecorder(), r, jsonbody.MaxBytes(10))
	fmt.Println(new(errs.Catalog).Translate(err))
	fmt.Println(jsonbody.DefaultMaxBytes) // without the option
	// Output:
	// The request is too large.
	// 65536
}

// A body that is nested too deeply is refused before a decoder follows it.
func ExampleDecode_tooDeep() {
	deep := strings.Repeat("[", jsonbody.MaxDepth+1) + strings.Repeat("]", jsonbody.MaxDepth+1)
	r := httptest.NewRequest("POST", "/trees", strings.NewReader(deep))
	_, err := jsonbody.Decode[any](httptest.NewRecorder(), r)
	var refused *jsonbody.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Kind().Status(), refused.Fields()[0].Code)
	}
	// Output: 400 too_deep
}

// Without a catalog, kind and fields are what a client may be told.
func ExampleError() {
	r := httptest.NewRequest("POST", "/users", strings.NewReader(`{"name": 5, "age": "x", "admin": true}`))
	_, err := jsonbody.Decode[struct {
		Name string `json:"name"`
		Age  uint8  `json:"age"`
	}](nil, r)
	var refused *jsonbody.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Kind().Status())
		for _, f := range refused.Fields() {
			fmt.Printf("%q %s: %s\n", f.Pointer, f.Code, f.Detail)
		}
	}
	// Output:
	// 422
	// "" invalid: A value is not allowed.
	// "/name" wrong_type: This value must be a text.
	// "/age" wrong_type: This value must be a whole number from 0 to 255.
	// "/admin" unknown_field: This field is not known.
}
