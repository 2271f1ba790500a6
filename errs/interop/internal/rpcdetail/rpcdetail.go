// Package rpcdetail converts an *errs.Error to the google.rpc messages for gRPC and
// Connect clients, with the content of a problem details object.
package rpcdetail

import (
	"cmp"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/rowkeeper/rowkeeper/errs"
)

// Of returns an ErrorInfo with the code in upper case, as AIP-193 requires, and the
// service of procedure ("/acme.v1.Users/Create") as its domain; a BadRequest if
// fields are at fault; and a RetryInfo if the call may be sent again.
func Of(e *errs.Error, procedure string) []proto.Message {
	service, _, _ := strings.Cut(strings.TrimPrefix(procedure, "/"), "/")
	reason := strings.ToUpper(e.Code())
	details := []proto.Message{&errdetails.ErrorInfo{Reason: reason, Domain: service}}
	var bad errdetails.BadRequest
	for _, f := range e.Fields() {
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: cmp.Or(path(f.Pointer), f.Parameter, f.Header), Description: f.Detail, Reason: strings.ToUpper(f.Code),
		})
	}
	if bad.FieldViolations != nil {
		details = append(details, &bad)
	}
	if after := e.RetryAfter(); after > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(after)})
	}
	return details
}

// path converts a JSON Pointer, "/items/0/name", to the path syntax of BadRequest:
// "items[0].name".
func path(pointer string) string {
	var b strings.Builder
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch {
		case token != "" && strings.Trim(token, "0123456789") == "":
			b.WriteString("[" + token + "]")
			continue
		case b.Len() > 0:
			b.WriteByte('.')
		}
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~"))
	}
	return b.String()
}
