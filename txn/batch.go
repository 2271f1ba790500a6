package txn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// Batch runs all queries of b as one transaction, from BEGIN to COMMIT in one round
// trip if the connection has used their statements before. It suits transactions in
// which no statement depends on the answer to another.
//
// Retries, errors and options work as in [RunInTx]. b itself is not changed and may be
// used again. The callbacks of its queries run in order once the transaction is known
// to be committed, so their results are not provisional; all results are in memory by
// then. The connection is still held, as in pgx. An error of a callback skips the later
// callbacks and is returned in a [*CommittedError]. An error of a query is returned as
// a [*QueuedError].
//
// If db is a pgx.Tx or a *[Tx], the batch is part of that transaction, and its
// callbacks run when its results have arrived; an error of a callback undoes the batch.
//
// A batch on which pgx's own BeginTx was called is refused.
func Batch(ctx context.Context, db DB, b *pgx.Batch, opts ...Option) error {
	if b == nil {
		return errors.New("txn: the batch is nil")
	}
	if beginsItself(b) {
		return errBatchBegins
	}
	db, cfg, err := resolve(db, opts)
	if err != nil {
		return err
	}
	if cfg.once != nil && slices.ContainsFunc(b.QueuedQueries, func(q *pgx.QueuedQuery) bool { return q.Fn != nil }) {
		return errors.New("txn: Once for a batch with callbacks, whose results are not kept: use RunInTx")
	}
	var results []pgconn.Result
	queue := func(tx *Tx) {
		results = make([]pgconn.Result, len(b.QueuedQueries))
		for i, q := range b.QueuedQueries {
			tx.enqueue(wire.Statement{Kind: wire.Queued, SQL: q.SQL, Args: q.Arguments, Rows: q.Fn != nil, Into: &results[i]})
		}
	}
	if _, joins := txOf(db); joins {
		_, err = runOn(ctx, db, cfg, nil, func(ctx context.Context, tx *Tx) error {
			queue(tx)
			types, err := tx.flush(ctx)
			if err != nil {
				return err
			}
			return callBack(b, results, types)
		}, nil)
		return err
	}
	_, err = runOn(ctx, db, cfg, nil, func(ctx context.Context, tx *Tx) error {
		queue(tx)
		return nil
	}, func(types *pgtype.Map) error {
		return callBack(b, results, types)
	})
	return err
}

var errBatchBegins = errors.New("txn: the batch begins a transaction itself: do not call its BeginTx")

// callBack runs the callbacks of b on results in memory.
func callBack(b *pgx.Batch, results []pgconn.Result, types *pgtype.Map) error {
	for i, q := range b.QueuedQueries {
		if q.Fn == nil {
			continue
		}
		if err := q.Fn(&bufferedResults{result: &results[i], types: types}); err != nil {
			return fmt.Errorf("callback of query %d: %w", i+1, err)
		}
	}
	return nil
}

// flush sends the queued statements, and returns the type map for decoding their
// results.
func (tx *Tx) flush(ctx context.Context) (*pgtype.Map, error) {
	if err := tx.enter(); err != nil {
		return nil, err
	}
	defer tx.leave()
	if err := tx.at.flush(ctx); err != nil {
		return nil, err
	}
	return tx.at.types(), nil
}

// types returns the type map for decoding values.
func (a *attempt) types() *pgtype.Map {
	if a.session == nil { // or the connection may be somebody else's by now
		return pgtype.NewMap()
	}
	return a.conn.TypeMap()
}
