// Package oas reads OpenAPI 3.0 and 3.1 documents into the few facts that probe needs.
// It is the only package that knows the library which parses them.
//
// It does not read callbacks, webhooks, links, servers and keywords that relate one
// property to another. What it does not read, it treats as allowed.
package oas

import (
	"bytes"
	"slices"
	"strings"
)

// The bounds of a document. One that is larger is refused.
const (
	MaxBytes      = 5 << 20 // of all its files together
	MaxOperations = 2000
)

// A Document is an OpenAPI document.
type Document struct {
	Operations []*Operation
	TokenURL   string // of the OAuth 2 password flow, or ""
	Security   bool   // it declares at least one way to authenticate

	texts [][]byte
}

// Mentions reports whether the text of the document contains a word.
func (d *Document) Mentions(word string) bool {
	return slices.ContainsFunc(d.texts, func(text []byte) bool { return bytes.Contains(text, []byte(word)) })
}

// An Operation is a method of a path.
type Operation struct {
	Method, Path string
	Mark         string // the value of x-rowkeeper at the operation or its path: "public", "shared", "admin", "ignore"
	Secured      bool   // a credential is required
	Params       []*Param
	Body         *Body // or nil
	Responses    map[string]*Response

	File string
	Line int // 0 if unknown
	Col  int
}

// String returns the method and the path.
func (o *Operation) String() string { return o.Method + " " + o.Path }

// Param returns the parameter of that place and name, or nil. Names of headers have
// any case.
func (o *Operation) Param(in, name string) *Param {
	for _, p := range o.Params {
		if p.In == in && (p.Name == name || in == "header" && strings.EqualFold(p.Name, name)) {
			return p
		}
	}
	return nil
}

// Response returns what is declared for a status, or nil.
func (o *Operation) Response(status string) *Response {
	for _, key := range []string{status, status[:1] + "XX", status[:1] + "xx", "default"} {
		if r := o.Responses[key]; r != nil {
			return r
		}
	}
	return nil
}

// Success returns the first response of class 2 that has a schema, or nil.
func (o *Operation) Success() *Response {
	for _, status := range []string{"200", "201", "202", "203", "2XX", "default"} {
		if r := o.Responses[status]; r != nil && r.Schema != nil {
			return r
		}
	}
	return nil
}

// Mutates reports whether the operation may change something.
func (o *Operation) Mutates() bool {
	return o.Method != "GET" && o.Method != "HEAD" && o.Method != "OPTIONS"
}

// A Param is a parameter in the path, the query, a header or a cookie.
type Param struct {
	Name, In string
	Required bool
	Schema   *Schema // never nil
	Example  any
}

// A Body is a request's body.
type Body struct {
	Required bool
	Media    string  // application/json, application/x-www-form-urlencoded, or what cannot be sent
	Schema   *Schema // never nil
	Example  any
}

// JSON reports whether the body is JSON.
func (b *Body) JSON() bool { return b != nil && isJSON(b.Media) }

// Form reports whether the body is an HTML form without files.
func (b *Body) Form() bool { return b != nil && b.Media == "application/x-www-form-urlencoded" }

func isJSON(media string) bool {
	media, _, _ = strings.Cut(media, ";")
	media = strings.TrimSpace(media)
	return media == "application/json" || strings.HasSuffix(media, "+json") || media == "*/*"
}

// A Response is what is declared for one status.
type Response struct {
	Schema  *Schema // of JSON, or nil
	Headers []string
}
