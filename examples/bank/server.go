package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/idempotency"
)

// newServer returns the whole service: the routes, and the authentication in front
// of them.
func newServer(pool *pgxpool.Pool, logger *slog.Logger) http.Handler {
	s := server{bank: bank{txn.New(pool)}, errors: catalog.WithLogger(logger)}
	mux := http.NewServeMux()
	mux.Handle("POST /accounts", s.handler(s.openAccount))
	mux.Handle("GET /accounts", s.handler(s.listAccounts))
	mux.Handle("GET /accounts/{id}", s.handler(s.getAccount))
	mux.Handle("POST /accounts/{id}/deposit", s.once("deposit", s.deposit))
	mux.Handle("POST /transfers", s.once("transfer", s.transfer))
	mux.Handle("GET /transfers", s.handler(s.listTransfers))
	routes := s.errors.Middleware(mux) // answers with problem details if there is no route
	return s.errors.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if _, pattern := mux.Handler(r); pattern != "" {
			var err error
			if r, err = authenticate(pool, w, r); err != nil {
				return err
			}
		}
		routes.ServeHTTP(w, r)
		return nil
	})
}

// authenticate finds the user by the bearer token, and returns the request with a
// context that has the user's scope. No other function creates one.
func authenticate(pool *pgxpool.Pool, w http.ResponseWriter, r *http.Request) (*http.Request, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, unauthenticated(w)
	}
	var id UserID
	hash := sha256.Sum256([]byte(token))
	err := pool.QueryRow(r.Context(), "select id from users where token_hash = $1", hash[:]).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, unauthenticated(w)
	}
	if err != nil {
		return nil, err
	}
	me, err := owner.For(id)
	if err != nil {
		return nil, err
	}
	return r.WithContext(owner.NewContext(r.Context(), me)), nil
}

func unauthenticated(w http.ResponseWriter) error {
	w.Header().Set("WWW-Authenticate", `Bearer realm="bank"`)
	return errs.Unauthenticated
}

type server struct {
	bank   bank
	errors *errs.Catalog
}

// handler gives the caller's scope to f, and writes its error to the client.
func (s server) handler(f func(w http.ResponseWriter, r *http.Request, me owner.Scope[UserID]) error) http.Handler {
	return s.errors.Handler(func(w http.ResponseWriter, r *http.Request) error {
		me, err := owner.FromContext[UserID](r.Context())
		if err != nil {
			return err
		}
		return f(w, r, me)
	})
}

// once is handler for a request that moves money. With an Idempotency-Key, the
// request is applied once, however often it is sent.
func (s server) once(endpoint string, f func(ctx context.Context, tx *txn.Tx, r *http.Request, me owner.Scope[UserID]) (idempotency.Response, error)) http.Handler {
	return s.errors.Handler(idempotency.Handler(s.bank.db, endpoint, userOf,
		func(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error) {
			me, err := owner.FromContext[UserID](ctx)
			if err != nil {
				return idempotency.Response{}, err
			}
			return f(ctx, tx, r, me)
		}, idempotency.Optional()))
}

func userOf(r *http.Request) (string, error) {
	me, err := owner.FromContext[UserID](r.Context())
	if err != nil {
		return "", err
	}
	id := me.Owner()
	return hex.EncodeToString(id[:]), nil
}

func (s server) openAccount(w http.ResponseWriter, r *http.Request, me owner.Scope[UserID]) error {
	body, err := jsonbody.Decode[struct {
		Name string `json:"name"`
	}](w, r)
	if err != nil {
		return err
	}
	if err := checkName(body.Name); err != nil {
		return err
	}
	a, err := s.bank.openAccount(r.Context(), me, body.Name)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/accounts/"+a.ID.String())
	return reply(w, http.StatusCreated, a)
}

func (s server) listAccounts(w http.ResponseWriter, r *http.Request, me owner.Scope[UserID]) error {
	list, err := s.bank.listAccounts(r.Context(), me)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, list)
}

func (s server) getAccount(w http.ResponseWriter, r *http.Request, me owner.Scope[UserID]) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	a, err := s.bank.account(r.Context(), me, id)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, a)
}

func (s server) deposit(ctx context.Context, tx *txn.Tx, r *http.Request, me owner.Scope[UserID]) (idempotency.Response, error) {
	id, err := pathID(r)
	if err != nil {
		return idempotency.Response{}, err
	}
	body, err := jsonbody.Decode[struct {
		Amount int64 `json:"amount"`
	}](nil, r)
	if err != nil {
		return idempotency.Response{}, err
	}
	if err := checkAmount(body.Amount); err != nil {
		return idempotency.Response{}, err
	}
	a, err := deposit(ctx, tx, me, id, body.Amount)
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.JSON(http.StatusOK, a)
}

func (s server) transfer(ctx context.Context, tx *txn.Tx, r *http.Request, me owner.Scope[UserID]) (idempotency.Response, error) {
	body, err := jsonbody.Decode[struct {
		From   ID    `json:"from"`
		To     ID    `json:"to"`
		Amount int64 `json:"amount"`
	}](nil, r)
	if err != nil {
		return idempotency.Response{}, err
	}
	switch (ID{}) {
	case body.From:
		return idempotency.Response{}, required("/from")
	case body.To:
		return idempotency.Response{}, required("/to")
	}
	if body.From == body.To {
		return idempotency.Response{}, errs.New(errs.Invalid, errs.Code("same_account"), errs.Field("/to"), errs.Message("From and to are the same account."))
	}
	if err := checkAmount(body.Amount); err != nil {
		return idempotency.Response{}, err
	}
	t, err := transfer(ctx, tx, me, body.From, body.To, body.Amount)
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.JSON(http.StatusCreated, t)
}

func (s server) listTransfers(w http.ResponseWriter, r *http.Request, me owner.Scope[UserID]) error {
	list, err := s.bank.listTransfers(r.Context(), me)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, list)
}

// pathID returns the id of the account in the path. An invalid id is an account
// that does not exist.
func pathID(r *http.Request) (id ID, err error) {
	if err := id.UnmarshalText([]byte(r.PathValue("id"))); err != nil {
		return ID{}, accountNotFound(owner.ErrNotFound, "")
	}
	return id, nil
}

func checkName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return required("/name")
	case utf8.RuneCountInString(name) > maxName:
		return errs.New(errs.Invalid, errs.Code("name_too_long"), errs.Field("/name"), errs.Message("The name is too long."))
	case strings.ContainsFunc(name, unicode.IsControl):
		return errs.New(errs.Invalid, errs.Code("name_not_printable"), errs.Field("/name"), errs.Message("The name has characters that cannot be printed."))
	}
	return nil
}

func checkAmount(amount int64) error {
	switch {
	case amount <= 0:
		return errs.New(errs.Invalid, errs.Code("amount_not_positive"), errs.Field("/amount"), errs.Message("The amount must be positive."))
	case amount > maxAmount:
		return errs.New(errs.Invalid, errs.Code("amount_too_large"), errs.Field("/amount"), errs.Message("The amount is too large."))
	}
	return nil
}

func required(field string) error {
	return errs.New(errs.Required, errs.Field(field))
}

func reply(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}
