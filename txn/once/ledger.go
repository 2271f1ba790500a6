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
// is nil, all requests are equal. Namespace and key are text of 1 to 255 bytes without
// NUL. Another key is a [*KeyError], which maps to HTTP 400. Another namespace, which the
// service chooses, maps to 500.
//
// The option belongs to a call, not to a txn.Runner. It is refused in a call that joins
// a transaction or is read-only, and for a txn.Batch with callbacks.
//
// # Requests
//
// Requests are equal if their JSON is equal, in any order of members. Go types do not
// count, nor do fields left out by omitempty or omitzero. A request is refused if JSON
// does not represent all of it: for a field that is unexported, left out by its tag or
// hidden by another field of that name, anywhere in its type or behind its interfaces;
// for text that is not UTF-8 (use []byte); for raw JSON that repeats a name. So an error
// value or a protobuf message is not a valid request: use a struct of the fields that
// count, or its bytes. A type that encodes itself is trusted.
//
// # Results
//
// The result is stored as JSON, of at most 256 KiB, and must decode to the same value. A
// type that JSON does not represent fully, or that has an interface with methods, is
// refused before the function runs. If a value comes back changed, such as an int in an
// any, the call is rolled back. A json.RawMessage comes back as the same JSON, not as
// the same bytes.
//
// # Outcomes
//
// An error of the function rolls back and leaves the key free. If another call is using
// the key, this one waits for it: within a process without a connection, for another
// process in the database, in its first statement. The key is taken ahead of the
// function's first statement, in the same packet, so it adds no round trip the first
// time; a replay takes two.
//
// An unknown outcome is resolved by taking the key again, which either succeeds or shows
// that it was taken; never by a look, as a COMMIT still on its way may arrive after the
// look. So a txn.OutcomeUnknownError remains only if the database cannot be reached
// until the context ends, or on a connection of the caller's. If the function cannot run
// again for that, the key is taken without an effect, so that a late COMMIT does not
// find it free. The next call with the key takes it over.
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
