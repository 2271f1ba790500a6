package brokenbank

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
)

// page is one page of a list.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

const firstID = "00000000-0000-0000-0000-000000000000"

// position reads limit and cursor. A cursor holds the last id, and for a fault the
// owner.
func (s *server) position(r *http.Request) (owner, after uid, limit int, err error) {
	owner, after, limit = me(r.Context()), firstID, pageSize
	if text := r.URL.Query().Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > pageSize {
			return "", "", 0, errs.New(errs.Invalid, errs.Code("invalid_limit"))
		}
	}
	if text := r.URL.Query().Get("cursor"); text != "" {
		plain, err := base64.RawURLEncoding.DecodeString(text)
		of, last, _ := strings.Cut(string(plain), "/")
		if err != nil || !isUUID(of) || !isUUID(last) {
			return "", "", 0, errs.New(errs.Invalid, errs.Code("invalid_cursor"))
		}
		after = last
		if s.fault == CursorOfOther {
			owner = of
		}
	}
	return owner, after, limit, nil
}

func cursor(owner, last uid) string {
	return base64.RawURLEncoding.EncodeToString([]byte(owner + "/" + last))
}

func (s *server) listAccounts(w http.ResponseWriter, r *http.Request) error {
	owner, after, limit, err := s.position(r)
	if err != nil {
		return err
	}
	var rows pgx.Rows
	if s.fault == ListAll {
		rows, err = s.pool.Query(r.Context(), `select id::text, user_id::text, name, balance, version, created_at from accounts
			where id > $1 order by id limit $2`, after, limit+1)
	} else {
		rows, err = s.pool.Query(r.Context(), `select id::text, user_id::text, name, balance, version, created_at from accounts
			where id > $1 and user_id = $3 order by id limit $2`, after, limit+1, owner)
	}
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (account, error) { return scanAccount(row) })
	if err != nil {
		return err
	}
	p := page[account]{Items: list}
	if len(list) > limit {
		p.Items = list[:limit]
		p.Next = cursor(owner, p.Items[limit-1].ID)
	}
	return reply(w, http.StatusOK, p)
}

func (s *server) listTransfers(w http.ResponseWriter, r *http.Request) error {
	_, after, limit, err := s.position(r)
	if err != nil {
		return err
	}
	of := r.URL.Query().Get("account")
	if of != "" && !isUUID(of) {
		return errs.New(errs.Invalid, errs.Code("invalid_account"))
	}
	var rows pgx.Rows
	switch {
	case of != "" && s.fault == FilterUnscoped:
		rows, err = s.pool.Query(r.Context(), `select id::text, from_id::text, to_id::text, amount, created_at from transfers
			where id > $1 and (from_id = $3 or to_id = $3) order by id limit $2`, after, limit+1, of)
	case of != "":
		rows, err = s.pool.Query(r.Context(), `select id::text, from_id::text, to_id::text, amount, created_at from transfers
			where id > $1 and user_id = $4 and (from_id = $3 or to_id = $3) order by id limit $2`, after, limit+1, of, me(r.Context()))
	default:
		rows, err = s.pool.Query(r.Context(), `select id::text, from_id::text, to_id::text, amount, created_at from transfers
			where id > $1 and user_id = $3 order by id limit $2`, after, limit+1, me(r.Context()))
	}
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (movement, error) { return scanTransfer(row) })
	if err != nil {
		return err
	}
	p := page[movement]{Items: list}
	if len(list) > limit {
		p.Items = list[:limit]
		p.Next = cursor(me(r.Context()), p.Items[limit-1].ID)
	}
	return reply(w, http.StatusOK, p)
}

// Notices are for everybody: a public collection.

type notice struct {
	ID    uid    `json:"id"`
	Title string `json:"title"`
}

func (s *server) listNotices(w http.ResponseWriter, r *http.Request) error {
	rows, err := s.pool.Query(r.Context(), "select id::text, title from notices order by id limit 100")
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[notice])
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, list)
}

func (s *server) postNotice(w http.ResponseWriter, r *http.Request) error {
	b, err := jsonbody.Decode[struct {
		Title *string `json:"title"`
	}](w, r)
	if err != nil {
		return err
	}
	if b.Title == nil || *b.Title == "" || len(*b.Title) > maxName {
		return errs.New(errs.Required, errs.Field("/title"))
	}
	n := notice{Title: *b.Title}
	if err := s.pool.QueryRow(r.Context(), "insert into notices (title) values ($1) returning id::text", n.Title).Scan(&n.ID); err != nil {
		return err
	}
	return reply(w, http.StatusCreated, n)
}
