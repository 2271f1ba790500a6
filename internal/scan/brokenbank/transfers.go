package brokenbank

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/idempotency"
)

// movement is a row of transfers, and its form for clients.
type movement struct {
	ID        uid       `json:"id"`
	From      uid       `json:"from"`
	To        uid       `json:"to"`
	Amount    int64     `json:"amount"`
	CreatedAt time.Time `json:"created_at"`
}

func scanTransfer(row pgx.Row) (m movement, err error) {
	err = row.Scan(&m.ID, &m.From, &m.To, &m.Amount, &m.CreatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		err = errNotFound
	}
	return m, err
}

func (s *server) getTransfer(w http.ResponseWriter, r *http.Request) error {
	id, err := s.pathID(r)
	if err != nil {
		return err
	}
	m, err := scanTransfer(s.pool.QueryRow(r.Context(),
		"select id::text, from_id::text, to_id::text, amount, created_at from transfers where id = $1 and user_id = $2", id, me(r.Context())))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, m)
}

func (s *server) amountBody(r *http.Request) (int64, error) {
	b, err := jsonbody.Decode[struct {
		Amount *int64 `json:"amount"`
	}](nil, r)
	if err != nil {
		return 0, err
	}
	if b.Amount == nil {
		return 0, errs.New(errs.Required, errs.Field("/amount"))
	}
	return *b.Amount, s.checkAmount(*b.Amount)
}

func (s *server) checkAmount(amount int64) error {
	switch {
	case amount <= 0 && s.fault != NegativeAmount:
		return errs.New(errs.Invalid, errs.Code("amount_not_positive"), errs.Field("/amount"), errs.Message("The amount must be positive."))
	case amount > maxAmount && (s.fault != BigAmount || amount < 1<<62):
		return errs.New(errs.Invalid, errs.Code("amount_too_large"), errs.Field("/amount"), errs.Message("The amount is too large."))
	}
	return nil
}

func (s *server) deposit(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error) {
	id, err := s.pathID(r)
	if err != nil {
		return idempotency.Response{}, err
	}
	amount, err := s.amountBody(r)
	if err != nil {
		return idempotency.Response{}, err
	}
	var a account
	switch s.fault {
	case DepositUnscoped:
		a, err = scanAccount(tx.QueryRow(ctx, `update accounts set balance = balance + $2, version = version + 1 where id = $1
			returning id::text, user_id::text, name, balance, version, created_at`, id, amount))
	case DepositRace:
		a, err = s.depositNaively(ctx, id, amount)
	case NoRetry:
		a, err = s.depositOnce(ctx, id, amount)
	default:
		a, err = addTo(ctx, tx, id, amount)
	}
	if err != nil {
		if s.fault == BigAmount && amount > maxAmount {
			return idempotency.Response{}, naiveError{err}
		}
		return idempotency.Response{}, err
	}
	return idempotency.JSON(http.StatusOK, a)
}

func addTo(ctx context.Context, q queryer, id uid, amount int64) (account, error) {
	return scanAccount(q.QueryRow(ctx, `update accounts set balance = balance + $3, version = version + 1 where id = $1 and user_id = $2
		returning id::text, user_id::text, name, balance, version, created_at`, id, me(ctx), amount))
}

// depositNaively reads, computes and writes, without a transaction.
func (s *server) depositNaively(ctx context.Context, id uid, amount int64) (account, error) {
	a, err := s.ownAccount(ctx, s.pool, id)
	if err != nil {
		return a, err
	}
	return scanAccount(s.pool.QueryRow(ctx, `update accounts set balance = $3, version = version + 1 where id = $1 and user_id = $2
		returning id::text, user_id::text, name, balance, version, created_at`, id, me(ctx), a.Balance+amount))
}

// depositOnce is right but for the retry.
func (s *server) depositOnce(ctx context.Context, id uid, amount int64) (a account, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.Serializable}, func(tx pgx.Tx) error {
		old, err := s.ownAccount(ctx, tx, id)
		if err != nil {
			return err
		}
		a, err = scanAccount(tx.QueryRow(ctx, `update accounts set balance = $3, version = version + 1 where id = $1 and user_id = $2
			returning id::text, user_id::text, name, balance, version, created_at`, id, me(ctx), old.Balance+amount))
		return err
	})
	if err != nil && err != errNotFound {
		return a, errs.New(errs.Internal) // the conflict is hidden, so nothing retries it
	}
	return a, err
}

func (s *server) withdraw(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error) {
	id, err := s.pathID(r)
	if err != nil {
		return idempotency.Response{}, err
	}
	amount, err := s.amountBody(r)
	if err != nil {
		return idempotency.Response{}, err
	}
	var a account
	if s.fault == WithdrawRace {
		a, err = s.withdrawNaively(ctx, id, amount)
	} else {
		a, err = addTo(ctx, tx, id, -amount)
	}
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.JSON(http.StatusOK, a)
}

// withdrawNaively looks first and takes then. Its schema has no CHECK.
func (s *server) withdrawNaively(ctx context.Context, id uid, amount int64) (account, error) {
	a, err := s.ownAccount(ctx, s.pool, id)
	if err != nil {
		return a, err
	}
	if a.Balance < amount {
		return a, errs.New(errs.Invalid, errs.Code("insufficient_funds"), errs.Field("/amount"))
	}
	return addTo(ctx, s.pool, id, -amount)
}

func (s *server) transfer(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error) {
	b, err := jsonbody.Decode[struct {
		From   string `json:"from"`
		To     string `json:"to"`
		Amount *int64 `json:"amount"`
	}](nil, r)
	if err != nil {
		return idempotency.Response{}, err
	}
	switch {
	case !isUUID(b.From):
		return idempotency.Response{}, errs.New(errs.Required, errs.Field("/from"))
	case !isUUID(b.To):
		return idempotency.Response{}, errs.New(errs.Required, errs.Field("/to"))
	case b.From == b.To:
		return idempotency.Response{}, errs.New(errs.Invalid, errs.Code("same_account"), errs.Field("/to"))
	case b.Amount == nil:
		return idempotency.Response{}, errs.New(errs.Required, errs.Field("/amount"))
	}
	if err := s.checkAmount(*b.Amount); err != nil {
		return idempotency.Response{}, err
	}
	m, err := s.move(ctx, tx, b.From, b.To, *b.Amount)
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.JSON(http.StatusCreated, m)
}

func (s *server) move(ctx context.Context, tx *txn.Tx, from, to uid, amount int64) (movement, error) {
	if err := s.lock(ctx, tx, from, to); err != nil {
		return movement{}, err
	}
	if err := s.debit(ctx, tx, from, amount); err != nil {
		return movement{}, err
	}
	if _, err := addTo(ctx, tx, to, amount); err != nil {
		if s.fault == DebitKept && err == errNotFound {
			return movement{}, errs.New(errs.Invalid, errs.Code("no_such_account"), errs.Field("/to"))
		}
		return movement{}, err
	}
	return scanTransfer(tx.QueryRow(ctx, `insert into transfers (user_id, from_id, to_id, amount) values ($1, $2, $3, $4)
		returning id::text, from_id::text, to_id::text, amount, created_at`, me(ctx), from, to, amount))
}

// lock takes both rows in one order, so that no two transfers wait for each other in a
// circle.
func (s *server) lock(ctx context.Context, tx *txn.Tx, from, to uid) error {
	if s.fault == DebitKept {
		return nil
	}
	rows, err := tx.Query(ctx, "select id::text from accounts where id in ($1, $2) order by id for update", from, to)
	if err != nil {
		return err
	}
	_, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return err
}

func (s *server) debit(ctx context.Context, tx *txn.Tx, from uid, amount int64) error {
	switch s.fault {
	case TransferFromStranger:
		_, err := scanAccount(tx.QueryRow(ctx, `update accounts set balance = balance - $2, version = version + 1 where id = $1
			returning id::text, user_id::text, name, balance, version, created_at`, from, amount))
		return err
	case DebitKept:
		_, err := addTo(ctx, s.pool, from, -amount) // on a connection of its own
		return err
	}
	_, err := addTo(ctx, tx, from, -amount)
	return err
}
