// Package pgerr interprets errors of the database and its drivers for packages txn,
// owner and errs. It imports none of them.
package pgerr
