// Package jsonbody decodes JSON request bodies strictly. encoding/json drops unknown
// fields, takes the last of two equal ones and replaces broken characters; Decode refuses
// such a body and names every field at fault.
//
//	package main
//
//	import (
//		"log"
//		"net/http"
//
//		"github.com/rowkeeper/rowkeeper/errs"
//		"github.com/rowkeeper/rowkeeper/errs/jsonbody"
//	)
//
//	type payment struct {
//		Amount int64 `json:"amount"`
//	}
//
//	func pay(w http.ResponseWriter, r *http.Request) error {
//		p, err := jsonbody.Decode[payment](w, r)
//		if err != nil {
//			return err // 400, 413, 415 or 422, with a JSON Pointer to each field at fault
//		}
//		log.Print("paid ", p.Amount)
//		return nil
//	}
//
//	func main() {
//		http.Handle("POST /payments", new(errs.Catalog).Handler(pay))
//		log.Fatal(http.ListenAndServe("localhost:8080", nil))
//	}
//
// Errors reach the client through errs.Catalog, or through any other code that asks an
// [*Error] for its kind and fields. Nothing that a client sent is in their texts, apart
// from the names of its fields.
//
// Decode does not notice that a field is missing: the field keeps its zero value. Make
// it a pointer to tell, or use a validator: errs.Catalog.Translate understands the errors
// of go-playground/validator.
package jsonbody
