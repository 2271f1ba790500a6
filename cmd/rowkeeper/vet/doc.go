// Package vet finds in Go code what loses data, shows foreign rows or leaks errors of
// the database.
//
// It does not see SQL that is not constant, statements of an ORM's models, what other
// modules do with a transaction, and, for the rules of unscoped statements, tables that
// no configuration and no export of audit declares as owned. What it is not sure of it
// does not show. It finds mistakes within a function and the helpers whose effect it
// knows, in database/sql, pgx v4 and v5, sqlx and code that sqlc generated; of GORM it
// knows Exec, Raw, Begin and Transaction.
//
// The analyzers work in go vet -vettool, in golangci-lint and in the command.
package vet
