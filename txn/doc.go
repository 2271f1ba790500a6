// Package txn runs a function in a database transaction, runs it again when the
// database says so, and never says a wrong word about the outcome.
//
//	account, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) (Account, error) {
//		// read, decide, write: all with tx
//	})
//
// It is for CockroachDB and PostgreSQL through pgx v5, and goes around code
// that exists: [Tx] is a [pgx.Tx].
//
// # What it promises
//
// The transaction is SERIALIZABLE unless [Isolation] says otherwise, so what
// the function read has not changed when its writes are committed. A conflict of
// a statement sent through the Tx, or of COMMIT, and a connection that is lost
// before COMMIT roll back and run the function again, the first time at once,
// then after a random wait without a connection or lock being held, until
// [MaxElapsed], [MaxAttempts] or the context ends it.
//
// An error means that nothing was committed, unless it is a
// [*OutcomeUnknownError] or a [*CommittedError].
//
// # Round trips
//
// BEGIN and the settings travel with the first statement, so a function that
// sends nothing costs nothing, not even a connection. What is given to
// [Tx.Queue] travels with the next statement that needs an answer, or with
// COMMIT. A transaction that reads a row and writes it needs three round trips
// as it is, and two where the write is queued: no fewer are possible, as the
// write depends on what was read. [Batch] runs a whole pgx.Batch, BEGIN and
// COMMIT included, in one. A statement that is new to a connection costs one
// more, as in pgx. Through a wrapper or a mock, which begins by its own BeginTx (see
// [DB]), statements go one by one, and BEGIN and COMMIT by themselves.
//
// Sent by themselves, behind a BEGIN by itself, are SendBatch, CopyFrom, Prepare,
// [Tx.Conn], [Tx.LargeObjects], text of several statements, names of prepared
// statements, and statements with pgx.QueryExecMode or result formats among
// their arguments. Statements that travel together are described by this
// package, once for a connection, and kept beside pgx's own cache, up to the
// same capacity. Which exec modes fit which pooler is in docs/poolers.md of the
// repository. One that is new is described behind what is queued ahead of it
// where that may change what it means, which costs one round trip more: SET, DDL, and
// statements that call set_config, functions of your own or others that are not known
// to be harmless.
//
// The name of a prepared statement may stand where SQL does. What begins with a
// keyword of SQL and white space is taken for SQL.
//
// # Lines for what conflicts
//
// A conflict makes a line for what the transaction began with: its first
// statement, text and arguments, and its settings, or what [Key] names. At first
// nobody waits in it, as one conflict is chance. If more conflicts come, and not
// only a few among many, a call that begins with the same waits for its turn in that
// line, first come first served, a call that lost in front of it. It waits in its
// first statement, before BEGIN, so it holds no connection and no lock, and its
// context ends the wait. So a row that everybody wants costs a queue, and not a storm
// in which most work is done in vain and somebody always loses.
//
// A line lets one in at a time, and tries more from time to time. While that goes
// well it lets in twice as many, after some turns or some hundredths of a second.
// Each time that it does not, the next try comes later: after 20 seconds at most.
// So where the common beginning is innocent, a row of settings that everybody
// reads say, it opens wide within a moment, however long the transactions last. Lines of
// transactions that are seen to send each other's statements, such as transfers in
// both directions, become one. Where a first statement is never the same, such as a
// look-up by the id of the request, a call that lost waits in the line of what else it
// had sent, and where nearly all that begin with this text end in one line, they wait
// there from the start. A call that has lost three times has a turn alone. A turn that
// lasts ten times as long as usual, and at least 0.3 seconds, does not keep the next
// one out, so a function may wait for something that a waiter holds. A call inside the
// function of another one does not wait for that one's turn. A line in which nobody
// waited or lost for a second is forgotten, once those who were in by then have ended.
//
// A call whose deadline comes before its turn, or will as far as can be told, gets a
// [*BusyError]. A context that is a statement's alone ends the wait of that statement,
// and the function may go on.
//
// The lines belong to the pool: all calls on it share them, also through Runners,
// and they are gone when it is. A pool has at most 1024. While no transaction of
// the process conflicts, they cost an atomic load and a hash of the first statement. Calls
// on a connection of the caller's have none, as waiting would hold it, nor have calls
// through a wrapper that embeds no pool, nor transactions that begin with [Tx.Conn],
// a batch, a copy or large objects, or with an argument that has no value to go by:
// a map, a channel, a struct with fields that are not exported, what has methods of its
// own behind a pointer. What is a driver.Valuer counts by its Value, which is called
// for this once more while there are lines. [NoAdmission] turns them off. Other
// processes are not seen: each has lines of its own, and conflicts with theirs are
// retried.
//
// # What an error means
//
// What became of the transaction, and whether the function runs again, depends
// on the error and on the result that carries it; where the connection is lost,
// on what was sent. The first line that holds decides:
//
//	COMMIT's wait for a synchronous standby was cut short  unknown
//	COMMIT answered with COMMIT, whatever follows          committed
//	COMMIT answered with ROLLBACK                          rolled back
//	XXA00 at COMMIT by CockroachDB                         committed; a *CommittedError
//	BEGIN answered with another tag than BEGIN             unknown; runs again if nothing else was in its packet
//	40001, 40P01                                           rolled back; runs again
//	40003 before COMMIT                                    rolled back; runs again
//	26000, 42P05; 0A000, 08P01 or XX000 for a stale plan   rolled back; runs again up to 8 times
//	no such name or type, where the description may be off rolled back; runs again up to 8 times
//	25P03, 25P04 before COMMIT, or at COMMIT by PostgreSQL rolled back
//	PgBouncer pools statements, so it has no transactions  rolled back
//	FATAL or PANIC before COMMIT                           rolled back; runs again up to 3 times
//	25006 before COMMIT, if OnPgError closed its connection rolled back; runs again up to 3 times
//	any other error before COMMIT                          rolled back
//	25P02, class 23 at COMMIT                              rolled back
//	an ERROR of PostgreSQL's at COMMIT                     rolled back
//	any other answer to COMMIT                             unknown
//	the context ends before COMMIT is sent                 rolled back
//	the connection is lost before COMMIT is sent           rolled back; runs again up to 3 times
//	the connection is lost behind COMMIT                   unknown
//
// A description may be off if it is of an earlier transaction, or was made before what
// was queued ahead of the statement. The next run describes it behind that.
//
// "Before COMMIT" is also an error in the place of an earlier result than
// COMMIT's, when all were sent together and the error names the routine that
// raised it: the server carries out what it is sent in order. An error without a
// routine may be a pooler's, which proves nothing once COMMIT is on the wire, unless
// it says in the place of BEGIN's answer that there is no session: PgBouncer's
// query_wait_timeout, a failed login, 53300 and 57P03. An ERROR is PostgreSQL's when
// it names a C source file. A connection that was used before, and is lost before
// BEGIN is answered, may have ended while it was in the pool: once in a call that
// does not count, and those that are taken after it are asked first whether they
// still work.
//
// A connection that is refused because no server is there, on a pool that has had
// one, is asked for again for up to two seconds, in the first statement. Nothing
// was sent, so the function does not run again for that.
//
// Only errors of this transaction's own connection count. A conflict that the
// function returns from another one is returned, and nothing is run again.
//
// # Exactly once
//
// A lost answer to COMMIT leaves the caller guessing. [Once] takes a key for what
// the call does, by an INSERT into a ledger that goes in front of the function's
// first statement, in the same packet, and stores the result with COMMIT. A call
// whose key is taken returns that result and has no effect, so a request can be made
// as often as it takes. It costs no round trip the first time; a replay has two.
//
// An unknown outcome is never resolved by looking: what is still on its way may
// land after the look. The call is run again, and takes the key first, or is told
// that it was taken. What loses the race fails, also when it arrives late.
//
// A request must be told from others by its JSON, and a result must come back from
// JSON as it was; what does not is refused, and never given to the wrong caller. An
// error of the function's leaves no row. The table is made by [LedgerSchema], and [CleanLedger]
// deletes what has expired; from then on the absence of a key proves nothing, so
// [Ledger.Retention] must be longer than anybody goes on asking. Package
// [github.com/rowkeeper/rowkeeper/txn/idempotency] is the Idempotency-Key header of
// HTTP on top of it.
//
// # What to keep in mind
//
// The function may run more than once. What it does outside the transaction
// (mails, messages, variables that it adds to) happens as often. Assign results
// inside the function, or return them; give [Tx.OnCommit] what must happen once.
// Package [github.com/rowkeeper/rowkeeper/txn/txntest] runs functions again in
// tests, which shows those that are not fit for it.
//
// A reader, a channel, an iterator or a source of rows that the first run has read
// is at its end in the second: make it inside the function. [Tx.CopyFrom] refuses
// a source that an earlier run has read from; a reader behind it, or one that is
// written to a large object, is not seen.
//
// Not all that a statement does belongs to the transaction. A rollback leaves to the
// session, and so to the next run and to who has the connection next: locks of
// pg_advisory_lock (pg_advisory_xact_lock is the one for a transaction), statements of
// PREPARE and their names, and numbers that were taken from a sequence. A plain SET
// outlives COMMIT, and on CockroachDB v21.1 a rollback too: use SET LOCAL, or
// [Setting].
//
// Statements count only when they go through the Tx: one that goes through the
// pool is outside the transaction. A call on the pool inside the function of
// another call is refused: give it the Tx, or the option [RequiresNew]. Everything
// else that the function asks of the pool is sent, unless [GuardPool] has the pool
// refuse it, or report it.
//
// BEGIN, COMMIT and ROLLBACK are not for the function, neither as methods of the Tx
// nor as SQL text. They are refused before anything is sent, nothing is sent behind
// them, and the call rolls back although the function may return nil; a joined call
// undoes what it did, and its caller decides. The same is true of a deferred
// Rollback on the Tx, which runs when the function succeeds, too: take it out, as an
// error rolls back. A savepoint's own Commit and Rollback are the function's. What
// goes past the Tx, through Conn, and a prepared statement made there, is seen only
// by what the server answers: nothing more is sent then, and the call fails, with a
// [*CommittedError] if it was a COMMIT. Not seen is such a COMMIT whose answer was
// lost with the connection.
//
// A function that ignores the error of a statement cannot commit what came
// before it: the server has rolled that back. The call then returns that error,
// or runs the function again if it was a conflict.
//
// Where the connection was lost in the middle, the old session may still hold its
// locks. On PostgreSQL the next attempt ends it, if it runs as the same user, and
// waits for a lock for at most a second.
//
// A COMMIT that waits for a synchronous standby is not canceled; leave
// client_min_messages at warning or below, or the server does not say that
// somebody else did. A hot standby has no SERIALIZABLE: use [ReadOnly] with
// Isolation(pgx.RepeatableRead) there. docs/failover.md has more on standbys and
// what to configure for a failover.
package txn
