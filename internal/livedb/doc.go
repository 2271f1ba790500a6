// Package livedb reads the schema of a live database, PostgreSQL or CockroachDB:
// tables with columns, indexes and constraints, checks of domains, and row-level
// security. Packages owner/schema and errs/schema compare it with what is declared in
// Go, and report each difference as a [Finding].
//
// Only the system catalogs are read, as the role of the connection. Each type has its
// statements beside it, one for each engine. Names are passed as arguments, of types
// that every mode of pgx can send.
package livedb
