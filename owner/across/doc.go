// Package across runs SQL on the rows of many owners, outside the promise of package
// owner: for administrators and jobs. A reviewer finds every use of it by its import;
// package owner does not import it.
//
// A statement is a constant, runs for an actor and a reason, and leaves a record in a
// table of the service's database:
//
//	package store
//
//	import (
//		"context"
//
//		"github.com/jackc/pgx/v5"
//		"github.com/rowkeeper/rowkeeper/owner/across"
//	)
//
//	var (
//		audit = across.MustAudit("owner_audit") // created by audit.SQL()
//		bonus = audit.MustStatement("bonus", `update accounts set balance = balance + @amount`)
//	)
//
//	func PayBonus(ctx context.Context, tx pgx.Tx) (int64, error) {
//		return bonus.Exec(ctx, tx, "job:bonus", "yearly bonus", across.Args{"amount": 2})
//	}
//
// To work for one owner after another, read the ids here and pass each to
// [owner.For]: the builders of package owner then keep to that owner's rows.
//
// The record is written in the same transaction, which therefore is a [pgx.Tx] and
// not a pool. If it cannot be written, the statement is undone and its rows are not
// returned: both are in a savepoint. A transaction that is rolled back leaves
// neither, which is also true of reads: to keep the record of a read, commit before
// the rows are shown to anybody. Statements that fail or are refused leave no record,
// since it would need a second connection while the first holds its locks. The error
// names actor, reason and statement: log it. The service decides whether the actor
// may do this, and logs that, before it calls this package.
//
// Grant the service INSERT on the table of records, and neither UPDATE nor DELETE.
// The package guards against accidents, not against intent: text, name and reason are
// constants, as in package rawsql, whose rules for text and parameters apply. There
// is no @owner.
package across
