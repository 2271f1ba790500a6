// Package owner builds queries that cannot leave the caller's rows.
//
// It is for services whose tables have a column that says whose each row is: a
// user, a tenant, an account. A table is declared once, with a struct and its
// tags, and its columns by their fields:
//
//	type Account struct {
//		ID      int64  `db:"id"      owner:"pk"`
//		UserID  UserID `db:"user_id" owner:"owner"`
//		Name    string `db:"name"`
//		Balance int64  `db:"balance" owner:"server"`
//		Version int64  `db:"version" owner:"version"`
//	}
//
//	var (
//		Accounts = owner.MustTable[Account, UserID]("accounts")
//		Name     = owner.Column(Accounts, func(a *Account) *string { return &a.Name })
//		Balance  = owner.Column(Accounts, func(a *Account) *int64 { return &a.Balance })
//	)
//
// Every statement then begins with an owner:
//
//	me, err := owner.For(userID)
//	a, err := Accounts.In(me).Get(ctx, tx, id)
//	as, err := Accounts.In(me).Where(Name.HasPrefix("sav")).OrderBy(Name.Asc()).Limit(50).All(ctx, tx)
//	err = Accounts.In(me).Update(id).At(version).Set(Balance.Add(-5)).Exec(ctx, tx)
//
// # The promise
//
// No statement of this package reads, counts, changes or returns a row of
// another owner, whatever conditions and keys it is given. There is no
// method without a [Scope], and only [For] makes one: from a value that names
// somebody, never from a zero. The owner is the first condition of every
// statement, and all others are ANDed to it in parentheses; each further table
// in a statement has its own. A row that is missing and a row that is somebody
// else's give the same [ErrNotFound].
//
// The package takes no SQL text. Names come from the declaration and are
// quoted; values are always parameters. A column of another row type, or a
// value of another type than the column's, does not compile. The text of a
// statement depends only on its shape, so prepared statements are reused.
//
// Two things are not the owner's alone, and are declared as such: the rows of a
// [SharedTable], which everybody may read, and what a [Grant] lets others read.
//
// # Whose rows
//
// [NewTable] is for tables with an owner column. [NewThrough] is for children
// that have none, and belong to the owner of their parent. With a [Member] as
// owner, rows belong to a user within a tenant.
//
// An owner that is a UUID is best a struct around the UUID type of the service's choice,
// which then has its methods for pgx and for JSON:
//
//	type UserID struct{ uuid.UUID }
//
// A type that is defined as one, type UserID uuid.UUID, has none of them, and pgx cannot
// send it in the modes exec and simple protocol.
//
// [References] declares a foreign key. From then on every insert and update
// checks, in the same statement, that it points at a row of the owner's;
// otherwise the error is [ErrReference]. To a client it says what the catalog of package
// errs says of that foreign key.
//
// # While rows change owners
//
// Whose a row is can change while a statement waits for it. Of a row with an owner
// column PostgreSQL looks again at that. But the rows of [NewThrough] are their
// parent's, and below SERIALIZABLE nothing would look at that again: READ COMMITTED
// judges the parent by the snapshot of before the wait, and REPEATABLE READ by that
// of the whole transaction. So whatever writes or locks such rows, or makes a row
// point at another by a [Reference], takes the lock FOR KEY SHARE on the parent, in
// the same statement and until the transaction ends, and sees the parent as it is by
// then; under REPEATABLE READ and SERIALIZABLE a parent that was changed since the
// snapshot fails with 40001, which package txn retries. [Scoped.TransferTo] takes
// FOR UPDATE. So either the statement comes first, and the transfer waits for its
// transaction, or the transfer does, and then the statement finds nothing.
//
// It is the lock that a foreign key takes on every insert. It costs no round trip,
// and keeps nobody from changing the parent otherwise. Other ways were tried with
// 4000 transactions of 8 workers on PostgreSQL 18, each of which changes a line, and
// every second one then one of 4 orders. With this lock none failed at READ COMMITTED.
// FOR SHARE made deadlocks without end. To refuse whatever is below SERIALIZABLE gave
// 7075 serialization failures, and still let a transaction with an older snapshot
// change a line after the transfer.
//
// A transfer can be a deadlock with who waits for a row that the giver has written
// before: give away first, or let txn retry. The role needs the privilege UPDATE on
// at least one column of the parent. SQL by hand that changes an owner must select
// the row FOR UPDATE before.
//
// Plain reads take no lock, and see what their snapshot has. CockroachDB takes this
// lock from v23.2 on, which was not tried here, and needs none under SERIALIZABLE, the
// only level of older versions: there a statement may still be ordered before a
// transfer that was committed while its transaction was open, but never after it.
//
// # Reading
//
// [Select.Get], [Select.One] and [Select.All] return rows, [Select.Rows] streams
// them, and [Select.Page] returns them by pages, with a cursor that is good for
// one owner, order and choice of rows only. [Select.Count], [Select.Exists] and
// [Sum], [Min], [Max] and [Avg] return a value. [Reference.Has] and
// [Reference.To] choose rows by those that they are linked to. A [View] reads
// some columns, joins and groups. [Select.ForUpdate] locks.
//
// # Writing
//
// [Scoped.Insert], [Scoped.InsertMany] and [Scoped.Upsert] set the owner
// themselves. [Scoped.Update] and [Scoped.Delete] change one row by its key, and
// with a version only the one that was read: [Update.At], [Update.IfMatch],
// [Scoped.DeleteAt]; the error is [ErrStale]. [Scoped.UpdateWhere] and
// [Scoped.DeleteWhere] change all rows or none, if they are more than expected.
// [Table.Patch] takes from a client's JSON what clients may change.
// [Scoped.TransferTo] gives a row away. [Scoped.QueueInsert], [Update.Queue] and
// [Scoped.QueueDelete] leave the statement to a [Queue], which saves a round
// trip.
//
// The statements run on whatever has the methods of [DB]: a pool, a connection
// or a transaction. Nothing is cached between calls and nothing is set on the
// connection. A statement is one round trip on a connection that has prepared
// it; an update or delete that changed nothing takes a second one where there
// are several reasons to tell apart. Reading what another statement then changes
// needs a transaction that is SERIALIZABLE, or [Select.ForUpdate];
// [ColumnOf.Add] and versions need neither.
//
// Values of [Select] and [Update] can be kept and shared, also between
// goroutines: each of their methods returns a changed copy.
//
// # The database's part
//
// Package [github.com/rowkeeper/rowkeeper/owner/schema] compares the declarations with
// the live schema: keys, indexes and foreign keys that do not lead with the owner, and
// much else, with the SQL that mends it. Call its VerifyT in a test that runs after the
// migrations. It also writes policies of row-level security as a second wall, for SQL
// that does not come from here. [Scope.Settings] returns what transactions then need.
// A policy judges the parent by the statement's snapshot, and locks nothing: SQL by
// hand on the rows of NewThrough needs SERIALIZABLE to be right while orders change
// hands.
//
// # What it does not see
//
// Statements believe the declaration: that the column tagged owner holds the owner,
// and that the columns tagged pk are unique. Who is the same owner is up to the
// type of that column: citext, char(n), name and numeric(p,s) take several texts
// or numbers for one. Triggers, rules, views and
// ON DELETE CASCADE do what they do. A unique constraint that does not begin
// with the owner column, and a foreign key to somebody's row, tell by their
// violations that a row exists. Whoever writes SQL by hand scopes it by hand:
// package rawsql helps with that, and package across with work for many owners.
// Both are outside the promise, and found by their import.
//
// # Errors
//
// Misuse never reaches the database: it is an error that begins with "owner: "
// and says what to do, or a panic where a package variable is declared wrongly.
// [ErrNotFound], [ErrStale], [ErrNoVersion], [ErrReference], [ErrOtherOwner],
// [ErrTooMany], [ErrCursor] and [ErrUnscoped] are found by errors.Is,
// [*PatchError] by errors.As, and so is the database's own *pgconn.PgError.
package owner
