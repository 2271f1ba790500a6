package brokenbank

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/idempotency"
)

var catalog = errs.NewCatalog(
	errs.Constraint("accounts_name_key").Code("account_name_taken").Field("/name").Message("You already have an account of this name."),
	errs.Constraint("accounts_balance_check").Code("insufficient_funds").Field("/amount").Message("There is not enough money in the account."),
	errs.Constraint("accounts_balance_limit").Code("balance_too_large").Field("/amount").Message("The account cannot hold that much."),
	errs.Constraint("transfers_from_fkey").Code("account_in_use").Message("There are transfers of the account."),
	errs.Constraint("transfers_to_fkey").Code("account_in_use").Message("There are transfers of the account."),
)

// uid is the id of a user, an account or a transfer, in its canonical form.
type uid = string

type server struct {
	pool   *pgxpool.Pool
	db     *txn.Runner
	errors *errs.Catalog
	fault  Fault
}

type scope struct{}

func me(ctx context.Context) uid {
	id, _ := ctx.Value(scope{}).(uid)
	return id
}

// New returns the bank with one fault.
func New(pool *pgxpool.Pool, fault Fault) http.Handler {
	s := &server{pool: pool, db: txn.New(pool), errors: catalog.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))), fault: fault}
	mux := http.NewServeMux()
	mux.Handle("GET /notices", s.errors.Handler(s.listNotices))
	mux.Handle("POST /notices", s.private(s.postNotice))
	mux.Handle("POST /accounts", s.private(s.openAccount))
	mux.Handle("GET /accounts", s.private(s.listAccounts))
	mux.Handle("GET /accounts/{id}", s.private(s.getAccount))
	mux.Handle("PATCH /accounts/{id}", s.private(s.patchAccount))
	mux.Handle("DELETE /accounts/{id}", s.private(s.deleteAccount))
	mux.Handle("POST /accounts/{id}/deposit", s.once("deposit", s.deposit))
	mux.Handle("POST /accounts/{id}/withdraw", s.once("withdraw", s.withdraw))
	mux.Handle("POST /transfers", s.once("transfer", s.transfer))
	mux.Handle("GET /transfers", s.private(s.listTransfers))
	mux.Handle("GET /transfers/{id}", s.private(s.getTransfer))
	return s.errors.Middleware(mux)
}

type handlerFunc = func(w http.ResponseWriter, r *http.Request) error

// private is a handler that needs a credential.
func (s *server) private(f handlerFunc) http.Handler {
	return s.errors.Handler(func(w http.ResponseWriter, r *http.Request) error {
		id, err := s.authenticate(w, r)
		if err != nil {
			return err
		}
		return s.show(w, f(w, r.WithContext(context.WithValue(r.Context(), scope{}, id))))
	})
}

// show writes errors as the faults want them.
func (s *server) show(w http.ResponseWriter, err error) error {
	var naive naiveError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &naive):
		return reply(w, http.StatusInternalServerError, map[string]string{"title": "Internal Server Error"})
	case s.fault == SQLStateShown:
		var status interface{ Status() int }
		if translated := s.errors.Translate(err); errors.As(translated, &status) && status.Status() == http.StatusConflict {
			return reply(w, http.StatusConflict, map[string]string{"error": err.Error()})
		}
	}
	return err
}

// naiveError is an error of the database that nobody thought of.
type naiveError struct{ error }

func (s *server) authenticate(w http.ResponseWriter, r *http.Request) (id uid, err error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if s.fault == TransfersOpen && token == "" && r.URL.Path == "/transfers" && r.Method == http.MethodPost {
		return s.ownerOfFrom(r)
	}
	if !strings.EqualFold(scheme, "Bearer") || len(token) < prefix {
		return "", unauthenticated(w)
	}
	if s.fault == TokenPrefix {
		err = s.pool.QueryRow(r.Context(), "select id::text from users where token_start = $1", token[:prefix]).Scan(&id)
	} else {
		err = s.pool.QueryRow(r.Context(), "select id::text from users where token_hash = $1", hash(token)).Scan(&id)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return "", unauthenticated(w)
	}
	return id, err
}

// ownerOfFrom trusts the request to say whose money it is.
func (s *server) ownerOfFrom(r *http.Request) (id uid, err error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil {
		return "", err
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	var b struct{ From string }
	if json.Unmarshal(body, &b) != nil || !isUUID(b.From) {
		return "", errs.Unauthenticated
	}
	err = s.pool.QueryRow(r.Context(), "select user_id::text from accounts where id = $1", b.From).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", errs.Unauthenticated
	}
	return id, err
}

func unauthenticated(w http.ResponseWriter) error {
	w.Header().Set("WWW-Authenticate", `Bearer realm="bank"`)
	return errs.Unauthenticated
}

// once is private for a request that moves money.
func (s *server) once(endpoint string, f func(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error)) http.Handler {
	owner := func(r *http.Request) (string, error) {
		if s.fault == KeyWithoutOwner {
			return "everybody", nil
		}
		return me(r.Context()), nil
	}
	h := idempotency.Handler(s.db, endpoint, owner, f, idempotency.Optional())
	switch s.fault {
	case DepositRace, WithdrawRace, NoRetry, DebitKept:
		// Their effects outside the transaction would also break the key, which is
		// another fault.
		h = s.remember(f)
	}
	return s.private(func(w http.ResponseWriter, r *http.Request) error {
		key := r.Header.Get(idempotency.Header)
		switch {
		case key == "":
		case s.fault == KeyIgnored:
			r.Header.Del(idempotency.Header)
		case s.fault == KeyOtherBody:
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
			if err != nil {
				return err
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			r.Header.Set(idempotency.Header, key+"-"+hexHash(string(body))[:16])
		}
		return h(w, r)
	})
}

// remember applies a key once, in the memory of this process.
func (s *server) remember(f func(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error)) handlerFunc {
	type answer struct {
		mu   sync.Mutex
		body string // of the request
		resp *idempotency.Response
	}
	var answers sync.Map
	return func(w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		if err != nil {
			return err
		}
		known := new(answer)
		if key := r.Header.Get(idempotency.Header); key != "" {
			stored, _ := answers.LoadOrStore(me(r.Context())+r.URL.Path+key, known)
			known = stored.(*answer)
		}
		known.mu.Lock()
		defer known.mu.Unlock()
		if known.resp != nil && known.body != string(body) {
			return errs.New(errs.Invalid, errs.Code("key_reused"))
		}
		if known.resp == nil {
			resp, err := txn.RunInTx(r.Context(), s.db, func(ctx context.Context, tx *txn.Tx) (idempotency.Response, error) {
				again := r.WithContext(ctx)
				again.Body = io.NopCloser(strings.NewReader(string(body)))
				return f(ctx, tx, again)
			})
			if err != nil {
				return err
			}
			known.resp, known.body = &resp, string(body)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(known.resp.Status)
		_, err = w.Write(known.resp.Body)
		return err
	}
}

func isUUID(s string) bool {
	var id pgtype.UUID
	return len(s) == 36 && id.Scan(s) == nil
}

// pathID returns the id in the path. An invalid one is an account that does not exist.
func (s *server) pathID(r *http.Request) (uid, error) {
	id := r.PathValue("id")
	if !isUUID(id) {
		if s.fault == BadUUID {
			return "", naiveError{fmt.Errorf("invalid id")}
		}
		return "", errNotFound
	}
	return id, nil
}

var errNotFound = errs.New(errs.NotFound, errs.Code("not_found"), errs.Message("There is no such thing."))

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
