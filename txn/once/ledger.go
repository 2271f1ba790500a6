package once

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/internal/ledger"
)

// Schema creates the ledger, on CockroachDB and PostgreSQL, in the first schema of the
// search path. Run it with the rest of your schema. The role of the service needs
// SELECT, INSERT, UPDATE and DELETE on the table.
//
// The table stores results as text, so it is as secret as what the service returns.
//
// CockroachDB, from v22.2 on, deletes expired rows by itself after
//
//	alter table rowkeeper_ledger set (ttl_expiration_expression = 'expires_at')
//
// and then needs neither [Clean] nor the index on expires_at.
const Schema = `create table rowkeeper_ledger (
	namespace  text        not null,
	key        text        not null,
	attempt    text        not null, -- which of the attempts took the key
	request    bytea,                -- its hash; null where the key was taken without an effect
	result     text,                 -- JSON
	expires_at timestamptz not null,
	constraint rowkeeper_ledger_pkey primary key (namespace, key)
);
create index rowkeeper_ledger_expires_at_idx on rowkeeper_ledger (expires_at)`

// Key makes a call execute a request once, with the defaults of [Ledger].
//
// A namespace separates keys: include the user in it, so that nobody gets another
// user's result. request is the value that the key stands for, encoded by
// encoding/json; the same key with another request returns [ErrKeyReused]. If request
// is nil, all requests are equal. Namespace and key are text of 1 to 255 bytes.
//
// The option belongs to a call, not to a txn.Runner. It is refused in a call that joins
// a transaction or is read-only, and for a txn.Batch with callbacks.
func Key(namespace, key string, request any) txn.Option { return Ledger{}.Key(namespace, key, request) }

// Ledger says how keys are kept. A zero field means the default.
type Ledger struct {
	// Retention is how long a key is kept, by the clock of the database, in whole
	// seconds. The default is 24 hours, the minimum one hour. After that the key is
	// free: later calls with it execute the request again, so the retention must be
	// longer than anybody keeps asking.
	Retention time.Duration

	// NoWait makes a call fail with [ErrInFlight] if another call is using its key: at
	// once within a process, after 0.1 seconds for another process, and on CockroachDB
	// after some milliseconds. By default the call waits.
	NoWait bool
}

// Key is the function [Key] for this ledger.
func (l Ledger) Key(namespace, key string, request any) txn.Option {
	return ledger.Option(ledger.New(namespace, key, request, l.Retention, l.NoWait)).(txn.Option)
}

const (
	cleanBatch = 500 // so that each transaction holds few locks, for a short time

	deleteExpired = "delete from rowkeeper_ledger where (namespace, key) in " +
		"(select namespace, key from rowkeeper_ledger where expires_at <= now() order by expires_at limit $1::bigint)"
)

// Clean deletes expired rows of the ledger, in transactions of 500 rows, until none are
// left or ctx ends, and returns how many it deleted. Run it now and then, from one
// place; nothing else depends on it. db must be able to begin transactions, so it
// cannot be a pgx.Tx.
func Clean(ctx context.Context, db txn.DB, opts ...txn.Option) (deleted int64, err error) {
	opts = append([]txn.Option{txn.Isolation(pgx.ReadCommitted), txn.Name("clean ledger")}, opts...)
	for {
		n, err := txn.RunInTx(ctx, db, func(ctx context.Context, tx *txn.Tx) (int64, error) {
			tag, err := tx.Exec(ctx, deleteExpired, int64(cleanBatch))
			return tag.RowsAffected(), err
		}, opts...)
		deleted += n
		if err != nil || n < cleanBatch {
			return deleted, err
		}
	}
}
