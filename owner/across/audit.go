package across

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// An Audit is the table of records. Make one with [MustAudit] or [NewAudit].
type Audit struct {
	table  string
	insert string
}

// MustAudit is [NewAudit] for package variables: it panics instead of returning an
// error.
func MustAudit(table string) *Audit {
	a, err := NewAudit(table)
	if err != nil {
		panic(err)
	}
	return a
}

// NewAudit names the table of records, "table" or "schema.table". Names are
// quoted, so upper and lower case are as given. The table is the service's to make,
// with [Audit.SQL]; until then every statement fails.
func NewAudit(table string) (*Audit, error) {
	parts := strings.Split(table, ".")
	if len(parts) > 2 || slices.ContainsFunc(parts, func(part string) bool { return strings.TrimSpace(part) == "" }) {
		return nil, fmt.Errorf(`across: audit table %q: the name must be "table" or "schema.table"`, table)
	}
	const maxIdentifier = 63 // of which PostgreSQL keeps no more
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

// SQL returns the statement that makes the table, on CockroachDB and PostgreSQL,
// for the service's migrations. The service may add columns that have defaults,
// and indexes.
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

// record is what somebody did for a reason.
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
	// A trigger or a rule can leave it out without an error.
	if n := tag.RowsAffected(); n != 1 {
		return fmt.Errorf("the record was not written: the table took %d rows", n)
	}
	return nil
}

// sendable reports whether a text column takes it.
func sendable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
