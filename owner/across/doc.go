// Package across is the way out of package owner for work on rows of many owners:
// what administrators and jobs do.
//
// It is a package of its own so that a reviewer finds every use of it by its
// import. Package owner does not import it.
//
// Everything it runs is a constant statement, is done by somebody for a reason,
// and leaves a record in a table of the service's database:
//
//	var (
//		Audit    = across.MustAudit("owner_audit") // made by Audit.SQL()
//		Bonus = Audit.MustStatement("bonus", `update accounts set balance = balance + @amount`)
//	)
//
//	n, err := Bonus.Exec(ctx, tx, "job:bonus", "yearly bonus", across.Args{"amount": 2})
//
// To work for one owner after another, read the ids here, and give each to
// [owner.For]: then the builders of package owner keep to that owner's rows.
//
// # The record
//
// It says when, by the database's clock; who, why, and which statement, by its name
// and the SHA-256 of its text; and how many rows were affected or returned. The
// values of the parameters are not in it, since they may be secrets or personal.
//
// The record is written in the same transaction, which therefore is a [pgx.Tx] and
// cannot be a pool. If it cannot be written, the statement is undone and its rows
// are not returned: both are in a savepoint. So there is never one without the
// other, and a transaction that is rolled back leaves neither. That also holds for
// what was read in it: to have a record of reading, commit before the rows are
// shown to anybody.
//
// What failed or was refused leaves no record, for the same reason. One in a
// transaction of its own would need a second connection while the first holds its
// locks, and might tell of what never happened. The error names actor, reason and
// statement: log it. Whether the actor may do this at all is for the service to
// decide, and to log, before it calls this package.
//
// Grant the service INSERT on the table of records, and neither UPDATE nor DELETE.
//
// # What it promises
//
// It guards against accidents, not against intent: text, name and reason are
// constants, as in package rawsql, whose rules for text and parameters hold here
// too. There is no @owner. What the statement does is outside the promise of
// package owner.
package across
