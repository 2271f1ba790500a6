package across

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// An Audit is a table of records. Make one with [MustAudit] or [NewAudit].
//
// A record has the time by the database's clock, the actor, the reason, the
// statement's name and the SHA-256 of its text, and the number of rows affected or
// returned. It does not have the values of the parameters, since they may be secret
// or personal.
type Audit struct {
	table  string
	insert string
}

// MustAudit is like [NewAudit] but panics on an error, for package variables.
func MustAudit(table string) *Audit {
	a, err := NewAudit(table)
	if err != nil {
		panic(err)
	}
	return a
}

// NewAudit returns the table of records with that name, "table" or "schema.table".
// Names are quoted, so their case matters. The service creates the table with
// [Audit.SQL]; until then every statement fails.
func NewAudit(table string) (*Audit, error) {
	parts := strings.Split(table, ".")
	if len(parts) > 2 || slices.ContainsFunc(parts, func(part string) bool { return strings.TrimSpace(part) == "" }) {
		return nil, fmt.Errorf(`across: audit table %q: the name must be "table" or "schema.table"`, table)
	}
	const maxIdentifier = 63 // PostgreSQL truncates longer names
	if slices.ContainsFunc(parts, func(part string) bool { return len(part) > maxIdentifier || !sendable(part) }) {
		return nil, fmt.Errorf("across: audit table %q: a name has at most %d bytes, of valid UTF-8", table, maxIdentifier)
	}
	quoted := pgx.Identifier(parts).Sanitize()
	return &Audit{
		table: quoted,
		insert: "insert into " + quoted + ` ("at", "actor", "reason", "statement", "text_sha256", "row_count")` +
			" values (clock_timestamp(), $1, $2, $3, $4, $5)",
	}, nil
}

// SQL returns the statement that creates the table, on CockroachDB and PostgreSQL,
// for the service's migrations. The service may add indexes, and columns that have
// defaults.
func (a *Audit) SQL() string {
	if a == nil {
		return ""
	}
	return "create table " + a.table + ` (
	"id" uuid primary key default gen_random_uuid(),
	"at" timestamptz not null,
	"actor" text not null check ("actor" <> ''),
	"reason" text not null check ("reason" <> ''),
	"statement" text not null check ("statement" <> ''),
	"text_sha256" text not null,
	"row_count" bigint not null
)`
}

// record is one use of a statement.
type record struct {
	actor  string
	reason string
	rows   int64
}

func (a *Audit) write(ctx context.Context, tx pgx.Tx, s *Statement, r record) error {
	tag, err := tx.Exec(ctx, a.insert, r.actor, r.reason, s.name, s.hash, r.rows)
	if err != nil {
		return fmt.Errorf("the record was not written: %w", err)
	}
	// A trigger or a rule can discard the row without an error.
	if n := tag.RowsAffected(); n != 1 {
		return fmt.Errorf("the record was not written: the table took %d rows", n)
	}
	return nil
}

// sendable reports whether a text column can hold s.
func sendable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
