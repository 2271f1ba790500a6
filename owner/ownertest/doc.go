// Package ownertest tests, against the real schema and declarations of a service,
// that an owner cannot reach the rows of another one.
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
// It makes rows for both owners. Then the first owner tries every operation of
// package owner on every table with values of the second, the stranger: keys, values,
// versions, cursors, foreign keys and the owner itself. Then it repeats this without
// the stranger's rows. The test fails if the two results differ in a row, a count, or
// the type or text of an error, or if a row of the stranger has changed. So it finds
// problems that the builders cannot see: a column that does not hold the owner, a
// view, trigger or ON DELETE CASCADE that reaches further, a foreign key that was not
// declared with owner.References, and a unique constraint that does not begin with
// the owner.
//
// # Effects on the database
//
// Everything happens in one transaction that is rolled back; only sequences advance.
// Use a test database nevertheless: the transaction holds locks while it runs, and
// triggers run too.
//
// # Limits
//
// It tests the given tables and the statements of package owner, not SQL that is
// written by hand. It does not compare how long a statement takes or what it locks.
// It does not see what a constraint trigger or a deferred constraint does at COMMIT,
// except that PostgreSQL checks deferred constraints at once. If policies of
// row-level security depend on a setting, connect as a role that bypasses them: the
// test is about the first wall, not the second.
package ownertest
