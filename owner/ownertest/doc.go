// Package ownertest tests that the tables of a service keep one owner from the
// rows of another: in its real schema, with its own declarations.
//
//	func TestOwnership(t *testing.T) {
//		ownertest.Run(t, pool, alice, bob, nil,
//			ownertest.Table(Accounts),
//			ownertest.Table(Orders, ownertest.PrimaryKey),
//			ownertest.Table(Lines),
//			ownertest.Select("orders shared with me", Readers.In),
//		)
//	}
//
// It makes rows for both owners, and has the first one try every operation of
// package owner on every table with what is the second one's, the stranger's:
// keys, values, versions, cursors, foreign keys and the owner itself. Then it does
// the same once more where the stranger's rows do not exist. The test fails where
// the two differ in anything, a row, a count, or the type or text of an error,
// and where a row of the stranger's is another than before. So it finds what the
// builders cannot see: a column that does not hold the owner, a view, trigger or
// ON DELETE CASCADE that reaches further, a foreign key that was not declared with
// owner.References, and a unique constraint that does not begin with the owner.
//
// # The database is left as it was
//
// Everything happens in one transaction that is rolled back; only sequences move
// on. Run it on a database for tests all the same: the transaction holds locks
// while it runs, and triggers run too.
//
// # What it does not see
//
// It knows the tables that it is given, and statements that package owner
// builds; not SQL that is written by hand. How long a statement takes, and what it
// locks, is not compared. What a constraint trigger or a deferred constraint does at
// COMMIT comes too late, except that PostgreSQL is told to check deferred
// constraints at once. Where policies of row-level security depend on a setting,
// connect as a role that they let alone: what is tested is the first wall, not the
// second.
package ownertest
