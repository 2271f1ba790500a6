package txn

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/txn/internal/ledger"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// claimKey puts the claim of the key ahead of all statements, once it is known whether
// the server is CockroachDB.
func (a *attempt) claimKey() {
	if a.claim == nil {
		return
	}
	var engine *bool
	if a.conn != nil {
		engine = &a.cockroach
	}
	a.queue = append(a.claim.Begin(engine), a.queue...)
}

// claimPrefix returns how the text of a packet with a claim begins if pgx puts the
// values into the text.
func (a *attempt) claimPrefix() string {
	var b strings.Builder
	for _, s := range a.call.firstAfter(a.call.orphan) {
		b.WriteString(s.SQL + "\n;")
	}
	b.WriteString(a.claim.Beginning())
	return b.String()
}

// record stores the result with the commit.
func (a *attempt) record() error {
	text, err := a.call.encoded()
	if err != nil {
		return err
	}
	queue, claimed := a.claim.Commit(a.queue, text, a.conn != nil || a.inner != nil)
	if !claimed {
		return fmt.Errorf("%s: Once: the claim of the key got lost", prefix(a.name()))
	}
	a.queue = queue
	return nil
}

// readEntry ends the transaction whose claim failed and reads the row that has the key,
// in one round trip. A new transaction must see that row; if it does not, the row has
// expired since.
//
// On PostgreSQL the new transaction locks the row, so that its own COMMIT waits for a
// synchronous standby, if there is one, and with it for the COMMIT that wrote the row.
// That row is visible even if the wait of its own COMMIT was cut short.
func (a *attempt) readEntry(ctx context.Context) (e ledger.Entry, err error) {
	o := a.call.once
	args := []any{o.Namespace, o.Key}
	if a.session == nil {
		a.rollback(ctx)
		err = a.beside(ctx, func(ctx context.Context, tx pgx.Tx) error {
			return e.Scan(tx.QueryRow(ctx, a.reading(), args...))
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
	if err = e.Scan(r); err != nil || a.cockroach {
		return e, err
	}
	for err == nil && p.Left() > 0 {
		if p.Left() == 1 {
			g.AtCommit()
		}
		_, err = p.Exec()
	}
	if err == nil {
		_, err = p.Cut()
	}
	return e, err
}

// reading returns the statement that reads an entry.
func (a *attempt) reading() string {
	if a.cockroach {
		return ledger.ReadEntry
	}
	return ledger.ReadEntry + " for update"
}

// forget deletes the entry if it has expired.
func (a *attempt) forget(ctx context.Context) error {
	o := a.call.once
	if a.session == nil {
		return a.beside(ctx, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, ledger.Forget, o.Namespace, o.Key)
			return err
		})
	}
	_, err := a.conn.Exec(ctx, ledger.Forget, a.session.Outside(o.Namespace, o.Key)...)
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
