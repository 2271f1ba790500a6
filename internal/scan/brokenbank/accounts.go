package brokenbank

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
	"github.com/rowkeeper/rowkeeper/txn"
)

// account is a row of accounts, and its form for clients.
type account struct {
	ID        uid       `json:"id"`
	UserID    uid       `json:"user_id"`
	Name      string    `json:"name"`
	Balance   int64     `json:"balance"`
	CreatedAt time.Time `json:"created_at"`
	TokenHash string    `json:"token_hash,omitempty"` // only of a fault
	version   int64
}

func (a account) etag() string { return fmt.Sprintf(`"v%d"`, a.version) }

const (
	maxName     = 100
	maxAmount   = 1_000_000_000_000
	maxAccounts = 100
	pageSize    = 100
)

// queryer is a pool or a transaction.
type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

func scanAccount(row pgx.Row) (a account, err error) {
	err = row.Scan(&a.ID, &a.UserID, &a.Name, &a.Balance, &a.version, &a.CreatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		err = errNotFound
	}
	return a, err
}

func (s *server) account(ctx context.Context, q queryer, id uid) (account, error) {
	if s.fault == ReadUnscoped {
		return scanAccount(q.QueryRow(ctx, "select id::text, user_id::text, name, balance, version, created_at from accounts where id = $1", id))
	}
	return s.ownAccount(ctx, q, id)
}

func (s *server) ownAccount(ctx context.Context, q queryer, id uid) (account, error) {
	return scanAccount(q.QueryRow(ctx,
		"select id::text, user_id::text, name, balance, version, created_at from accounts where id = $1 and user_id = $2", id, me(ctx)))
}

func (s *server) replyAccount(w http.ResponseWriter, r *http.Request, status int, a account) error {
	if s.fault == TokenHashShown {
		if err := s.pool.QueryRow(r.Context(), "select encode(token_hash, 'hex') from users where id = $1", a.UserID).Scan(&a.TokenHash); err != nil {
			return err
		}
	}
	w.Header().Set("ETag", a.etag())
	return reply(w, status, a)
}

type accountBody struct {
	Name    *string `json:"name"`
	Balance *int64  `json:"balance"`
	UserID  *string `json:"user_id"`
}

// accountBody decodes what a client may set; the faults let it set more.
func (s *server) accountBody(w http.ResponseWriter, r *http.Request) (b accountBody, err error) {
	switch s.fault {
	case BalanceAtCreate, OwnerByPatch, NULInName:
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
		if err := d.Decode(&b); err != nil {
			return b, errs.New(errs.Invalid, errs.Code("malformed_json"))
		}
	default:
		strict, err := jsonbody.Decode[struct {
			Name *string `json:"name"`
		}](w, r)
		if err != nil {
			return b, err
		}
		b.Name = strict.Name
	}
	if b.Name == nil || strings.TrimSpace(*b.Name) == "" {
		return b, errs.New(errs.Required, errs.Field("/name"))
	}
	if utf8.RuneCountInString(*b.Name) > maxName && s.fault != LongName {
		return b, errs.New(errs.Invalid, errs.Code("name_too_long"), errs.Field("/name"), errs.Message("The name is too long."))
	}
	if s.fault == NULInName && strings.ContainsRune(*b.Name, 0) {
		_, err := s.pool.Exec(r.Context(), "select chr($1)", 0) // what text columns of PostgreSQL do to it
		return b, naiveError{cmp.Or(err, errNUL)}
	}
	return b, nil
}

var errNUL = errors.New("a NUL character in a text")

func (s *server) openAccount(w http.ResponseWriter, r *http.Request) error {
	b, err := s.accountBody(w, r)
	if err != nil {
		return err
	}
	balance := int64(0)
	if s.fault == BalanceAtCreate && b.Balance != nil {
		balance = *b.Balance
	}
	if s.fault == NameRace || s.fault == NameCrash {
		if err := s.nameFree(r.Context(), *b.Name); err != nil {
			return err
		}
	}
	a, err := txn.RunInTx(r.Context(), s.db, func(ctx context.Context, tx *txn.Tx) (account, error) {
		var n int
		if err := tx.QueryRow(ctx, "select count(*) from accounts where user_id = $1", me(ctx)).Scan(&n); err != nil {
			return account{}, err
		}
		if n >= maxAccounts {
			return account{}, errs.New(errs.Conflict, errs.Code("too_many_accounts"), errs.Message("You have as many accounts as you may have."))
		}
		return scanAccount(tx.QueryRow(ctx, `insert into accounts (user_id, name, balance) values ($1, $2, $3)
			returning id::text, user_id::text, name, balance, version, created_at`, me(ctx), *b.Name, balance))
	}, s.isolation()...)
	if err != nil {
		var pg *pgconn.PgError
		if s.fault == NameCrash && errors.As(err, &pg) {
			return naiveError{err}
		}
		return err
	}
	w.Header().Set("Location", "/accounts/"+a.ID)
	return s.replyAccount(w, r, http.StatusCreated, a)
}

// isolation makes the race of names possible: SERIALIZABLE would notice it.
func (s *server) isolation() []txn.Option {
	if s.fault == NameRace {
		return []txn.Option{txn.Isolation(pgx.ReadCommitted)}
	}
	return nil
}

func (s *server) nameFree(ctx context.Context, name string) error {
	var n int
	if err := s.pool.QueryRow(ctx, "select count(*) from accounts where user_id = $1 and name = $2", me(ctx), name).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return errs.New(errs.Conflict, errs.Code("account_name_taken"), errs.Field("/name"))
	}
	return nil
}

func (s *server) getAccount(w http.ResponseWriter, r *http.Request) error {
	id, err := s.pathID(r)
	if err != nil {
		return err
	}
	a, err := s.account(r.Context(), s.pool, id)
	if err == errNotFound && s.fault == Existence {
		var n int
		if err := s.pool.QueryRow(r.Context(), "select count(*) from accounts where id = $1", id).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return errs.New(errs.Forbidden)
		}
	}
	if err != nil {
		return err
	}
	return s.replyAccount(w, r, http.StatusOK, a)
}

func (s *server) patchAccount(w http.ResponseWriter, r *http.Request) error {
	id, err := s.pathID(r)
	if err != nil {
		return err
	}
	b, err := s.accountBody(w, r)
	if err != nil {
		return err
	}
	a, err := txn.RunInTx(r.Context(), s.db, func(ctx context.Context, tx *txn.Tx) (account, error) {
		if s.fault == PatchUnscoped && r.Header.Get("If-Match") == "" {
			return scanAccount(tx.QueryRow(ctx, `update accounts set name = $2, version = version + 1 where id = $1
				returning id::text, user_id::text, name, balance, version, created_at`, id, *b.Name))
		}
		old, err := s.ownAccount(ctx, tx, id)
		if err != nil {
			return old, err
		}
		if err := s.match(r, old); err != nil {
			return old, err
		}
		owner := old.UserID
		if s.fault == OwnerByPatch && b.UserID != nil {
			owner = *b.UserID
		}
		return scanAccount(tx.QueryRow(ctx, `update accounts set name = $2, version = version + 1, user_id = $4 where id = $1 and user_id = $3
			returning id::text, user_id::text, name, balance, version, created_at`, id, *b.Name, me(ctx), owner))
	})
	if err != nil {
		return err
	}
	return s.replyAccount(w, r, http.StatusOK, a)
}

// match compares If-Match with the row.
func (s *server) match(r *http.Request, a account) error {
	want := r.Header.Get("If-Match")
	if want == "" || want == "*" || want == a.etag() || s.fault == IfMatchIgnored {
		return nil
	}
	return errs.New(errs.Conflict, errs.Code("stale"), errs.Status(http.StatusPreconditionFailed), errs.Message("The account has changed."))
}

func (s *server) deleteAccount(w http.ResponseWriter, r *http.Request) error {
	id, err := s.pathID(r)
	if err != nil {
		return err
	}
	err = txn.Run(r.Context(), s.db, func(ctx context.Context, tx *txn.Tx) error {
		old, err := s.ownAccount(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := s.match(r, old); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "delete from accounts where id = $1 and user_id = $2", id, me(ctx))
		return err
	})
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if s.fault == DeleteHidden {
		_, _ = s.pool.Exec(r.Context(), "delete from accounts where id = $1 and user_id <> $2", id, me(r.Context())) // that is the fault
	}
	return err
}
