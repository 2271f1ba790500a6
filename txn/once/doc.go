// Package once makes a call of package txn execute a request exactly once, however
// often it is made: with an idempotency key, in the transaction itself.
//
//	transfer, err := txn.RunInTx(ctx, pool, makeTransfer, once.Key("transfers/"+user, key, request))
//
// The call takes the key in the ledger, a table created by [Schema], in the transaction
// of its function, and stores the result with COMMIT. If the key is already taken, the
// call returns the stored result and its function has no effect.
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
//
// Package [github.com/rowkeeper/rowkeeper/txn/idempotency] implements HTTP's
// Idempotency-Key header with it.
package once
