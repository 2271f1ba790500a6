package plan

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
)

var (
	text = &oas.Schema{Types: []string{"string"}}
	uuid = &oas.Schema{Types: []string{"string"}, Format: "uuid"}
	num  = &oas.Schema{Types: []string{"integer"}}
	one  = map[string]*oas.Response{"200": {Schema: &oas.Schema{Properties: map[string]*oas.Schema{"id": num, "name": text}}}}
	many = map[string]*oas.Response{"200": {Schema: &oas.Schema{Types: []string{"array"}, Items: one["200"].Schema}}}
)

func op(line string, responses map[string]*oas.Response, query map[string]*oas.Schema, body map[string]*oas.Schema) *oas.Operation {
	method, path, _ := strings.Cut(line, " ")
	o := &oas.Operation{Method: method, Path: path, Responses: responses}
	for name, s := range query {
		o.Params = append(o.Params, &oas.Param{Name: name, In: "query", Required: true, Schema: s})
	}
	if body != nil {
		o.Body = &oas.Body{Media: "application/json", Schema: &oas.Schema{Properties: body}}
	}
	return o
}

func TestActions(t *testing.T) {
	t.Parallel()
	p := New(&oas.Document{Operations: []*oas.Operation{
		op("GET /accounts", many, nil, nil),
		op("POST /accounts", one, nil, map[string]*oas.Schema{"name": text}),
		op("GET /accounts/{id}", one, nil, nil),
		op("PATCH /accounts/{id}", one, nil, map[string]*oas.Schema{"name": text}),
		op("DELETE /accounts/{id}", nil, nil, nil),
		op("POST /accounts/{id}/deposit", one, nil, map[string]*oas.Schema{"amount": num}),
		op("GET /accounts/{accountId}/notes", many, nil, nil),
		op("POST /accounts/{accountId}/notes", nil, nil, map[string]*oas.Schema{"text": text}),
		op("POST /transfers", one, nil, map[string]*oas.Schema{"from": uuid, "toAccountID": uuid, "amount": num}),
		op("POST /withdraw", nil, map[string]*oas.Schema{"account_id": num, "amount": num}, nil),
		op("GET /account", one, map[string]*oas.Schema{"account_id": num}, nil),
		op("GET /me", one, nil, nil),
	}})
	got := map[string]string{}
	for _, a := range p.Actions {
		line := string(a.Kind) + " " + a.Resource.Name
		for _, s := range a.Slots {
			of := "?"
			if s.Resource != nil {
				of = s.Resource.Name
			}
			mark := ""
			if s == a.Target {
				mark = "*"
			}
			line += " " + mark + s.In + ":" + s.Name + "=" + of
		}
		got[a.String()] = line
	}
	require.Equal(t, map[string]string{
		"GET /accounts":                    "list account",
		"POST /accounts":                   "create account",
		"GET /accounts/{id}":               "read account *path:id=account",
		"PATCH /accounts/{id}":             "update account *path:id=account",
		"DELETE /accounts/{id}":            "delete account *path:id=account",
		"POST /accounts/{id}/deposit":      "act account *path:id=account",
		"GET /accounts/{accountId}/notes":  "list note *path:accountId=account",
		"POST /accounts/{accountId}/notes": "create note *path:accountId=account",
		"POST /transfers":                  "create transfer body:/from=? body:/toAccountID=account",
		"POST /withdraw":                   "create withdraw query:account_id=account",
		"GET /account":                     "read account *query:account_id=account",
		"GET /me":                          "read me",
	}, got)
	require.Equal(t, Create, p.Actions[0].Kind, "makers come first")
	require.Equal(t, Delete, p.Actions[len(p.Actions)-1].Kind)
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"fromAccountID": "from account id", "from_account_id": "from account id", "userId": "user id", "HTTPServerID": "http server id"} {
		require.Equal(t, want, strings.Join(words(name), " "))
	}
	for plural, want := range map[string]string{"accounts": "account", "categories": "category", "boxes": "box", "status": "status", "address": "address"} {
		require.Equal(t, want, singular(plural))
	}
	require.False(t, TakesID("valid", text))
	require.False(t, TakesID("paid", text))
	require.True(t, TakesID("accountId", num))
}
