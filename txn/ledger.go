package txn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/ledger"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

const (
	ledgerKey = "rowkeeper_ledger_pkey"

	claimLedger = "insert into rowkeeper_ledger (namespace, key, attempt, request, expires_at) " +
		"values ($1, $2, $3, $4, now() + $5::bigint * interval '1 second')"
	claimWithResult = "insert into rowkeeper_ledger (namespace, key, attempt, request, expires_at, result) " +
		"values ($1, $2, $3, $4, now() + $5::bigint * interval '1 second', $6)"
	recordResult       = "update rowkeeper_ledger set result = $4 where namespace = $1 and key = $2 and attempt = $3"
	takeOver           = "update rowkeeper_ledger set attempt = $3, request = $4, expires_at = now() + $5::bigint * interval '1 second'" + fromBlocked
	takeOverWithResult = "update rowkeeper_ledger set attempt = $3, request = $4, expires_at = now() + $5::bigint * interval '1 second', result = $7" + fromBlocked
	fromBlocked        = " where namespace = $1 and key = $2 and attempt = $6 and request is null"
	readLedger         = "select attempt, request, result, expires_at <= now() from rowkeeper_ledger where namespace = $1 and key = $2"
	forgetKey          = "delete from rowkeeper_ledger where namespace = $1 and key = $2 and expires_at <= now()"

	// PostgreSQL's short lock timeout, for the claim alone.
	hurry = "select set_config('rowkeeper.lock_timeout', current_setting('lock_timeout'), true), set_config('lock_timeout', '100ms', true)"
	relax = "select set_config('lock_timeout', current_setting('rowkeeper.lock_timeout'), true)"
	// CockroachDB's probe, which sees uncommitted rows. Nothing is decided by what it
	// reads.
	probe = "select 1 from rowkeeper_ledger where namespace = $1 and key = $2 for update nowait"
)

// claim is an attempt's claim of the key of Once.
type claim struct {
	nonce    string
	answered bool    // by the server
	burns    bool    // it only makes others fail
	result   *string // to be stored in it
}

// claimKey puts the claim of the key ahead of all statements, once it is known whether the
// server is CockroachDB.
func (a *attempt) claimKey() {
	o := a.call.once
	if o == nil {
		return
	}
	a.claim.nonce = rand.Text()
	s := wire.Statement{Kind: wire.Claim, SQL: claimLedger, Args: []any{o.Namespace, o.Key, a.claim.nonce, o.Hash, int64(o.Retention / time.Second)}}
	if a.claim.burns {
		s.Args[3] = []byte(nil)
	}
	if over := a.call.claims.blocked; over != "" {
		s.SQL, s.Args = takeOverOne, append(s.Args, over)
	}
	if a.claim.result != nil {
		carry(&s, *a.claim.result)
	}
	first := []wire.Statement{s}
	if o.NoWait && !a.claim.burns && a.conn != nil {
		if a.cockroach {
			first = []wire.Statement{{Kind: wire.Guard, SQL: probe, Args: []any{o.Namespace, o.Key}}, s}
		} else {
			first = []wire.Statement{{Kind: wire.Guard, SQL: hurry}, s, {Kind: wire.Guard, SQL: relax}}
		}
	}
	a.queue = append(first, a.queue...)
}

// claimPrefix returns how the text of a packet with a claim begins if pgx puts the
// values into the text.
func (a *attempt) claimPrefix() string {
	var b strings.Builder
	for _, s := range a.call.firstAfter(a.call.orphan) {
		b.WriteString(s.SQL + "\n;")
	}
	if a.call.once.NoWait && !a.claim.burns {
		b.WriteString(hurry + "\n;")
	}
	claim, _, _ := strings.Cut(claimLedger, ")")
	if a.call.claims.blocked != "" {
		claim, _, _ = strings.Cut(takeOverOne, "$")
	}
	b.WriteString(claim)
	return b.String()
}

// carry adds the result to a claim that was not sent yet.
func carry(s *wire.Statement, result string) {
	sql := claimWithResult
	if s.SQL == takeOverOne {
		sql = takeOverOneWithResult
	}
	s.SQL, s.Args = sql, append(s.Args, result)
}

// record stores the result with the commit: in the claim, or after all statements if
// the claim was sent before.
func (a *attempt) record() error {
	text, err := a.call.encoded()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(a.queue, func(s wire.Statement) bool { return s.Kind == wire.Claim })
	switch {
	case i < 0 && !a.claim.answered && (a.conn != nil || a.inner != nil):
		return fmt.Errorf("%s: Once: the claim of the key got lost", prefix(a.name()))
	case text == nil:
	case i >= 0:
		carry(&a.queue[i], *text)
	case a.claim.answered:
		o := a.call.once
		a.queue = append(a.queue, wire.Statement{
			Kind: wire.Record, SQL: recordOne, About: &expectation{1, recordResult},
			Args: []any{o.Namespace, o.Key, a.claim.nonce, *text},
		})
	default:
		a.claim.result = text // for the claim, which is made once there is a connection
	}
	return nil
}

// Each fails if it does not find its row in the expected state.
var (
	recordOne             = expecting(1, recordResult)
	takeOverOne           = expecting(1, takeOver)
	takeOverOneWithResult = expecting(1, takeOverWithResult)
)

// takenError reports that the key was already there.
type takenError struct{ err error }

func (e *takenError) Error() string { return "txn: Once: the key was used before: " + e.err.Error() }
func (e *takenError) Unwrap() error { return e.err }

func taken(err error) bool {
	return err != nil && errors.As(err, new(*takenError))
}

// claimError translates the error of a claim.
func (a *attempt) claimError(err error) error {
	pe := pgerr.ServerError(err)
	switch {
	case pe == nil:
	case pe.Code == pgerr.UniqueViolation && (pe.ConstraintName == ledgerKey || pe.ConstraintName == ""):
		return &takenError{err}
	case pe.Code == pgerr.InvalidText && strings.Contains(pe.Message, expectationMark):
		return &takenError{err} // another call took it over
	case pe.Code == pgerr.LockNotAvailable && a.call.once.NoWait && a.call.orphan == nil:
		return fmt.Errorf("%s: %w (%w)", prefix(a.name()), ledger.ErrInFlight, err)
	case pe.Code == pgerr.UndefinedTable:
		return fmt.Errorf("%s: Once: there is no ledger: create it by once.Schema: %w", prefix(a.name()), err)
	}
	return fmt.Errorf("%s: Once: %w", prefix(a.name()), err)
}

// entry is a row of the ledger.
type entry struct {
	attempt string
	request []byte
	result  *string
	expired bool
}

func (e *entry) scan(row pgx.Row) error {
	return row.Scan(&e.attempt, &e.request, &e.result, &e.expired)
}

// readEntry ends the transaction whose claim failed and reads the row that has the key,
// in one round trip. A new transaction must see that row; if it does not, the row has
// expired since.
//
// On PostgreSQL the new transaction locks the row, so that its own COMMIT waits for a
// synchronous standby, if there is one, and with it for the COMMIT that wrote the row.
// That row is visible even if the wait of its own COMMIT was cut short.
func (a *attempt) readEntry(ctx context.Context) (e entry, err error) {
	o := a.call.once
	args := []any{o.Namespace, o.Key}
	if a.session == nil {
		a.rollback(ctx)
		err = a.beside(ctx, func(ctx context.Context, tx pgx.Tx) error {
			return e.scan(tx.QueryRow(ctx, a.reading(), args...))
		})
		return e, err
	}
	first := []wire.Statement{{Kind: wire.Queued, SQL: "rollback"}}
	if !a.cockroach {
		first = append(first, wire.Statement{Kind: wire.Queued, SQL: "begin isolation level read committed"})
	}
	first = append(first, wire.Statement{Kind: wire.Answered, Rows: true, SQL: a.reading(), Args: args})
	if !a.cockroach {
		first = append(first, wire.CommitStatement)
	}
	a.session.Collect(first, nil, nil)
	if err := a.session.Encode(len(first)); err != nil {
		return e, err
	}
	a.unwatch()
	g := a.session.WatchCommit(ctx, true)
	defer func() {
		if g.End() {
			a.shut(ctx)
		}
	}()
	p, err := a.session.Send(context.Background(), ctx)
	if err != nil {
		return e, err
	}
	defer func() {
		if closeErr := p.Close(); err == nil {
			err = closeErr
		}
	}()
	for p.Next().Kind == wire.Queued {
		if _, err = p.Exec(); err != nil {
			return e, err
		}
	}
	r := &bufferedRow{types: a.conn.TypeMap()}
	if _, err = p.Row(&r.Row); err != nil {
		return e, err
	}
	if err = e.scan(r); err != nil || a.cockroach {
		return e, err
	}
	g.AtCommit()
	if _, err = p.Exec(); err == nil {
		_, err = p.Cut()
	}
	return e, err
}

// reading returns the statement that reads an entry.
func (a *attempt) reading() string {
	if a.cockroach {
		return readLedger
	}
	return readLedger + " for update"
}

// forget deletes the entry if it has expired.
func (a *attempt) forget(ctx context.Context) error {
	o := a.call.once
	if a.session == nil {
		return a.beside(ctx, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, forgetKey, o.Namespace, o.Key)
			return err
		})
	}
	_, err := a.conn.Exec(ctx, forgetKey, a.session.Outside(o.Namespace, o.Key)...)
	return err
}

// beside runs f in a separate transaction, on a database that only has BeginTx.
func (a *attempt) beside(ctx context.Context, f func(ctx context.Context, tx pgx.Tx) error) error {
	db, ok := a.call.db.(beginner)
	if !ok {
		return noBeginTx(a.call.db)
	}
	ctx = a.call.running.owned(ctx)
	tx, err := db.BeginTx(ctx, pgx.TxOptions{})
	if err != nil {
		return err
	}
	if err := f(ctx, tx); err != nil {
		out, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackGrace)
		defer cancel()
		_ = tx.Rollback(out) // the error of f counts
		return err
	}
	return tx.Commit(ctx)
}
