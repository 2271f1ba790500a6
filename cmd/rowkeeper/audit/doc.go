// Package audit finds faults in the schema of a live database: rows that can belong to
// nobody or to somebody else, keys that are not unique, balances without a bound,
// constraints that are not enforced.
//
// # What it cannot see
//
// It does not see the code: a rule that a service keeps by itself, without fault, is
// reported as missing from the schema, because a second writer, a migration or a race
// breaks it. It does not see what an ORM believes. It knows who owns a row from foreign
// keys, names and rowkeeper.yaml; a schema that names its tables in another language
// needs the last. It looks at rows only with [Options.Rows], and then it counts them: a
// value never leaves the database. On CockroachDB it sees neither policies of row-level
// security nor triggers, and settings of durability do not exist there.
//
// # What it sees
//
// The catalog of PostgreSQL 14 or later, or CockroachDB 21.1 or later, read in one
// read-only transaction. [Rules] lists what it looks for. A finding has the SQL that
// mends it; nothing is applied. A comment on a table or a column suppresses a finding
// about it, with a reason:
//
//	comment on column accounts.balance is 'rowkeeper:ignore RKA08 an overdraft is agreed with the bank';
package audit
