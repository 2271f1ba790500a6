package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

// TestMain lets the test binary be the demo, for tests that stop it.
func TestMain(m *testing.M) {
	if os.Getenv(envDemo) != "" {
		main()
		os.Exit(0)
	}
	dbtest.Main(m)
}

// canary is in names that Bob chose, and is in no answer to Alice.
const canary = "canary4711"

type client struct {
	t      *testing.T
	db     *dbtest.DB
	server *httptest.Server
	log    *syncBuffer
	errors *[]answer // of everything that was refused
	alice  user
	bob    user
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func open(t *testing.T, db *dbtest.DB) client {
	t.Helper()
	require.NoError(t, createSchema(t.Context(), db.Pool))
	c := client{t: t, db: db, log: new(syncBuffer), errors: new([]answer)}
	c.server = httptest.NewServer(newServer(db.Pool, slog.New(slog.NewTextHandler(c.log, nil))))
	t.Cleanup(c.server.Close)
	var err error
	c.alice, err = newUser(t.Context(), db.Pool, "alice")
	require.NoError(t, err)
	c.bob, err = newUser(t.Context(), db.Pool, canary)
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), "update accounts set name = name || ' "+canary+"', balance = 47114711 where id = $1", c.bob.accounts[0])
	require.NoError(t, err)
	return c
}

type answer struct {
	request string
	status  int
	header  http.Header
	body    string
}

func (c client) do(token, method, path, body string) answer {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.server.URL+path, strings.NewReader(body))
	require.NoError(c.t, err)
	r.Header.Set("X-Request-Id", "same")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.server.Client().Do(r)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	a := answer{method + " " + path + " " + body[:min(len(body), 80)], resp.StatusCode, resp.Header, string(text)}
	if a.status >= 400 {
		*c.errors = append(*c.errors, a)
	}
	return a
}

func decoded[T any](t *testing.T, a answer, status int) (v T) {
	t.Helper()
	require.Equal(t, status, a.status, "%s: %s", a.request, a.body)
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	require.NoError(t, json.Unmarshal([]byte(a.body), &v))
	return v
}

func TestABankDay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		c := open(t, db)
		token := c.alice.token
		created := c.do(token, "POST", "/accounts", `{"name": "travel"}`)
		travel := decoded[Account](t, created, 201)
		require.Equal(t, "/accounts/"+travel.ID.String(), created.header.Get("Location"))
		require.Equal(t, "travel", travel.Name)
		require.Zero(t, travel.Balance)
		require.NotZero(t, travel.CreatedAt)

		list := decoded[[]Account](t, c.do(token, "GET", "/accounts", ""), 200)
		require.Len(t, list, 3)
		require.Equal(t, []string{"everyday", "savings", "travel"}, []string{list[0].Name, list[1].Name, list[2].Name})

		richer := decoded[Account](t, c.do(token, "POST", "/accounts/"+travel.ID.String()+"/deposit", `{"amount": 50}`), 200)
		require.EqualValues(t, 50, richer.Balance)

		require.Equal(t, "[]\n", c.do(token, "GET", "/transfers", "").body)
		sent := decoded[Transfer](t, c.do(token, "POST", "/transfers",
			fmt.Sprintf(`{"from": %q, "to": %q, "amount": 20}`, travel.ID, c.alice.accounts[1])), 201)
		require.EqualValues(t, 20, sent.Amount)
		require.EqualValues(t, 30, decoded[Account](t, c.do(token, "GET", "/accounts/"+travel.ID.String(), ""), 200).Balance)
		require.EqualValues(t, 20, decoded[Account](t, c.do(token, "GET", "/accounts/"+c.alice.accounts[1].String(), ""), 200).Balance)
		require.Equal(t, []Transfer{sent}, decoded[[]Transfer](t, c.do(token, "GET", "/transfers", ""), 200))
	})
}

type refusal struct {
	name, token, method, path, body string

	status       int
	code, member string // a field of the body, or "" if none is named
}

func (c client) refusals() []refusal {
	everyday, savings := c.alice.accounts[0].String(), c.alice.accounts[1].String()
	deposit := "/accounts/" + everyday + "/deposit"
	transfer := func(from, to, amount string) string {
		return fmt.Sprintf(`{"from": %q, "to": %q, "amount": %s}`, from, to, amount)
	}
	nobody := "00000000-0000-4000-8000-000000000000"
	a := c.alice.token
	return []refusal{
		{"no token", "", "GET", "/accounts", "", 401, "unauthenticated", ""},
		{"wrong token", "guess", "GET", "/accounts", "", 401, "unauthenticated", ""},
		{"no such route", a, "GET", "/secrets", "", 404, "not_found", ""},
		{"no such method", a, "DELETE", "/accounts", "", 405, "method_not_allowed", ""},

		{"malformed", a, "POST", "/accounts", `{"name": `, 400, "malformed_json", ""},
		{"empty", a, "POST", "/accounts", ``, 400, "empty_body", ""},
		{"no object", a, "POST", "/accounts", `["name"]`, 422, "wrong_type", ""},
		{"unknown field", a, "POST", "/accounts", `{"name": "x", "balance": 5}`, 422, "unknown_field", "/balance"},
		{"owner as a field", a, "POST", "/accounts", `{"name": "x", "user_id": "` + nobody + `"}`, 422, "unknown_field", "/user_id"},
		{"duplicate field", a, "POST", "/accounts", `{"name": "x", "name": "y"}`, 400, "duplicate_field", "/name"},
		{"wrong type", a, "POST", "/accounts", `{"name": 5}`, 422, "wrong_type", "/name"},
		{"body too large", a, "POST", "/accounts", `{"name": "` + strings.Repeat("x", 64<<10) + `"}`, 413, "too_large", ""},
		{"no name", a, "POST", "/accounts", `{}`, 422, "required", "/name"},
		{"blank name", a, "POST", "/accounts", `{"name": "  "}`, 422, "required", "/name"},
		{"long name", a, "POST", "/accounts", `{"name": "` + strings.Repeat("ä", 101) + `"}`, 422, "name_too_long", "/name"},
		{"NUL in name", a, "POST", "/accounts", `{"name": "a\u0000b"}`, 400, "invalid_characters", "/name"},
		{"name taken", a, "POST", "/accounts", `{"name": "everyday"}`, 409, "account_name_taken", "/name"},

		{"no account", a, "GET", "/accounts/" + nobody, "", 404, "account_not_found", ""},
		{"no id", a, "GET", "/accounts/1", "", 404, "account_not_found", ""},
		{"deposit to no account", a, "POST", "/accounts/" + nobody + "/deposit", `{"amount": 1}`, 404, "account_not_found", ""},
		{"no amount", a, "POST", deposit, `{}`, 422, "amount_not_positive", "/amount"},
		{"zero", a, "POST", deposit, `{"amount": 0}`, 422, "amount_not_positive", "/amount"},
		{"negative", a, "POST", deposit, `{"amount": -5}`, 422, "amount_not_positive", "/amount"},
		{"too much", a, "POST", deposit, `{"amount": 1000000000001}`, 422, "amount_too_large", "/amount"},
		{"beyond int64", a, "POST", deposit, `{"amount": 9223372036854775808}`, 422, "wrong_type", "/amount"},
		{"a fraction", a, "POST", deposit, `{"amount": 0.5}`, 422, "wrong_type", "/amount"},
		{"amount as text", a, "POST", deposit, `{"amount": "5"}`, 422, "wrong_type", "/amount"},

		{"no from", a, "POST", "/transfers", `{"to": "` + savings + `", "amount": 5}`, 422, "required", "/from"},
		{"no to", a, "POST", "/transfers", `{"from": "` + everyday + `", "amount": 5}`, 422, "required", "/to"},
		{"from is no id", a, "POST", "/transfers", transfer("1", savings, "5"), 422, "wrong_type", "/from"},
		{"from equal to to", a, "POST", "/transfers", transfer(everyday, everyday, "5"), 422, "same_account", "/to"},
		{"from nobody", a, "POST", "/transfers", transfer(nobody, savings, "5"), 404, "account_not_found", "/from"},
		{"to nobody", a, "POST", "/transfers", transfer(everyday, nobody, "5"), 404, "account_not_found", "/to"},
		{"transfer of zero", a, "POST", "/transfers", transfer(everyday, savings, "0"), 422, "amount_not_positive", "/amount"},
		{"transfer of too much", a, "POST", "/transfers", transfer(everyday, savings, "1000000000001"), 422, "amount_too_large", "/amount"},
		{"overdraft", a, "POST", "/transfers", transfer(everyday, savings, "10001"), 422, "insufficient_funds", "/amount"},
	}
}

func TestRefusals(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		c := open(t, db)
		before := c.everything()
		for _, r := range c.refusals() {
			c.refused(r)
		}
		require.Equal(t, before, c.everything(), "what is refused changes nothing")
	})
}

func (c client) refused(r refusal) answer {
	c.t.Helper()
	got := c.do(r.token, r.method, r.path, r.body)
	require.Equal(c.t, r.status, got.status, "%s: %s", r.name, got.body)
	require.Equal(c.t, "application/problem+json", got.header.Get("Content-Type"), r.name)
	var p struct {
		Status int
		Code   string
		Errors []struct{ Pointer, Code, Detail string }
	}
	require.NoError(c.t, json.Unmarshal([]byte(got.body), &p), r.name)
	require.Equal(c.t, r.status, p.Status, r.name)
	require.Equal(c.t, r.code, p.Code, r.name)
	if r.member == "" {
		require.Empty(c.t, p.Errors, r.name)
	} else {
		require.Len(c.t, p.Errors, 1, r.name)
		require.Equal(c.t, r.member, p.Errors[0].Pointer, r.name)
	}
	switch r.status {
	case 401:
		require.NotEmpty(c.t, got.header.Get("WWW-Authenticate"))
	case 405:
		require.NotEmpty(c.t, got.header.Get("Allow"))
	}
	return got
}

// everything returns the whole content of the bank.
func (c client) everything() (all string) {
	c.t.Helper()
	rows, err := c.db.Query(c.t.Context(), `
		select concat('account ', user_id::text, ' ', id::text, ' ', name, ' ', balance::text) as line from accounts
		union all select concat('transfer ', user_id::text, ' ', id::text, ' ', amount::text) from transfers
		order by line`)
	require.NoError(c.t, err)
	defer rows.Close()
	for rows.Next() {
		var line string
		require.NoError(c.t, rows.Scan(&line))
		all += line + "\n"
	}
	require.NoError(c.t, rows.Err())
	return all
}

// Alice tries every endpoint with Bob's ids.
func TestNobodyReachesAnotherOwnersRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		c := open(t, db)
		mine, bobs, other := c.alice.accounts[0].String(), c.bob.accounts[0].String(), c.bob.accounts[1].String()
		nobody := "00000000-0000-4000-8000-000000000000"
		require.Equal(t, 201, c.do(c.bob.token, "POST", "/transfers", `{"from": "`+bobs+`", "to": "`+other+`", "amount": 3}`).status)
		before := c.everything()

		require.NotContains(t, c.do(c.alice.token, "GET", "/accounts", "").body, canary)
		require.Equal(t, "[]\n", c.do(c.alice.token, "GET", "/transfers", "").body)
		for _, r := range []struct{ method, path, body string }{
			{"GET", "/accounts/%s", ""},
			{"POST", "/accounts/%s/deposit", `{"amount": 5}`},
			{"POST", "/transfers", `{"from": "%s", "to": "` + mine + `", "amount": 5}`},
			{"POST", "/transfers", `{"from": "` + mine + `", "to": "%s", "amount": 5}`},
			{"POST", "/transfers", `{"from": "%s", "to": "` + other + `", "amount": 5}`},
			{"POST", "/transfers", `{"from": "` + mine + `", "to": "%s", "amount": 999999999}`},
		} {
			with := func(id string) answer {
				return c.do(c.alice.token, r.method, strings.Replace(r.path, "%s", id, 1), strings.Replace(r.body, "%s", id, 1))
			}
			foreign, missing := with(bobs), with(nobody)
			require.Equal(t, 404, foreign.status, foreign.request)
			require.Equal(t, missing.body, foreign.body, "%s: byte for byte", foreign.request)
			require.Equal(t, missing.status, foreign.status)
			require.NotContains(t, foreign.body, canary)
		}
		require.Equal(t, 201, c.do(c.alice.token, "POST", "/accounts", `{"name": "savings of `+canary+`"}`).status)
		require.Equal(t, 201, c.do(c.bob.token, "POST", "/accounts", `{"name": "savings of `+canary+`"}`).status, "names are each owner's own")
		for _, line := range strings.Split(strings.TrimSpace(before), "\n") {
			require.Contains(t, c.everything(), line, "nothing that was there has changed")
		}
	})
}

// No error body, also of a broken database, contains words of the database.
func TestNoErrorBodyLeaks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		c := open(t, db)
		for _, r := range c.refusals() {
			c.refused(r)
		}
		mine, bobs := c.alice.accounts[0].String(), c.bob.accounts[0].String()
		c.do(c.alice.token, "GET", "/accounts/"+bobs, "")
		c.do(c.alice.token, "POST", "/transfers", `{"from": "`+mine+`", "to": "`+bobs+`", "amount": 5}`)
		c.do(c.bob.token, "POST", "/accounts", `{"name": "everyday `+canary+`"}`)
		c.do(c.bob.token, "POST", "/accounts/"+bobs+"/deposit", `{"amount": -1}`)
		_, err := db.Exec(t.Context(), "update accounts set balance = 999999999999999 where id = $1", bobs)
		require.NoError(t, err)
		require.Equal(t, 422, c.do(c.bob.token, "POST", "/accounts/"+bobs+"/deposit", `{"amount": 5}`).status)

		*c.errors = append(*c.errors, c.tooLate(mine))

		broken := []struct{ method, path, body string }{
			{"GET", "/accounts", ""}, {"GET", "/accounts/" + mine, ""}, {"POST", "/accounts", `{"name": "` + canary + `"}`},
			{"POST", "/accounts/" + mine + "/deposit", `{"amount": 5}`}, {"GET", "/transfers", ""},
			{"POST", "/transfers", `{"from": "` + mine + `", "to": "` + c.alice.accounts[1].String() + `", "amount": 5}`},
		}
		for _, damage := range []string{
			"alter table transfers rename to transfers_" + canary,
			"alter table accounts rename to accounts_" + canary,
			"alter table users rename to users_" + canary,
		} {
			_, err := db.Exec(t.Context(), damage)
			require.NoError(t, err)
			for _, r := range broken {
				c.do(c.alice.token, r.method, r.path, r.body)
			}
		}
		failed := 0
		for _, a := range *c.errors {
			if a.status >= 500 {
				failed++
			}
			for _, word := range []string{
				canary, "4711", "SQLSTATE", "sql", "SQL", "select", "insert", "update ", "violates", "constraint", "relation", "column", " table",
				"accounts_", "transfers_", "users", "token", "user_id", "_fkey", "_key", "_pkey", "_check", "pgx", "postgres", "cockroach", "driver",
				"ERROR", "txn", "owner", "errs", ".go",
			} {
				body := strings.ReplaceAll(a.body, `"pointer":"/user_id"`, "") // the client itself sent it
				require.NotContains(t, body, word, a.request)
			}
		}
		require.GreaterOrEqual(t, failed, 10, "the database was broken")
		require.GreaterOrEqual(t, len(*c.errors), 50)
		require.Contains(t, c.log.buf.String(), "42P01", "an engineer has to know")
	})
}

// tooLate returns the answer to a request whose deadline passes while it waits for
// another transaction's lock.
func (c client) tooLate(account string) answer {
	c.t.Helper()
	lock, err := c.db.Begin(c.t.Context())
	require.NoError(c.t, err)
	defer lock.Rollback(c.t.Context())
	_, err = lock.Exec(c.t.Context(), "update accounts set balance = balance + 1 where id = $1", account)
	require.NoError(c.t, err)
	ctx, cancel := context.WithTimeout(c.t.Context(), 300*time.Millisecond)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, "POST", "/accounts/"+account+"/deposit", strings.NewReader(`{"amount": 5}`))
	r.Header.Set("Authorization", "Bearer "+c.alice.token)
	w := httptest.NewRecorder()
	newServer(c.db.Pool, slog.New(slog.NewTextHandler(c.log, nil))).ServeHTTP(w, r)
	require.Equal(c.t, 504, w.Code, w.Body)
	return answer{request: "too late", status: w.Code, body: w.Body.String()}
}

func TestNumberOfAccountsIsLimited(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		c := open(t, db)
		for i := range maxAccounts - len(c.alice.accounts) {
			_, err := bank{db: newRunner(db)}.openAccount(t.Context(), c.alice.scope, fmt.Sprint("account ", i))
			require.NoError(t, err)
		}
		c.refused(refusal{"one too many", c.alice.token, "POST", "/accounts", `{"name": "more"}`, 409, "too_many_accounts", ""})
	})
}
