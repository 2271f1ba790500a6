package across

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/sqltext"
)

// constant cannot be named outside this package, so only untyped constants convert to
// it.
type constant string

// Args are the values of the parameters by their names, without the @. A nil is NULL.
type Args map[string]any

// A Statement is a whole statement on rows of many owners. Make one with
// [Audit.MustStatement] or [Audit.NewStatement]. It is safe for concurrent use.
type Statement struct {
	audit *Audit
	name  string
	hash  string
	sql   string
	names []string
}

// MustStatement is like [Audit.NewStatement] but panics on an error, for package
// variables.
func (a *Audit) MustStatement(name, text constant) *Statement {
	s, err := a.NewStatement(name, text)
	if err != nil {
		panic(err)
	}
	return s
}

// NewStatement returns a statement with a constant text: one SELECT, INSERT, UPSERT,
// UPDATE, DELETE or MERGE, optionally after WITH. The name is for the records.
func (a *Audit) NewStatement(name, text constant) (*Statement, error) {
	failed := func(format string, args ...any) error {
		return fmt.Errorf("across: statement %q: "+format, append([]any{string(name)}, args...)...)
	}
	if a == nil || a.insert == "" {
		return nil, failed("the Audit was not made by MustAudit")
	}
	if !visible(string(name)) {
		return nil, failed("it needs a name that can be read")
	}
	parsed, err := sqltext.Statement(string(text))
	if err != nil {
		return nil, failed("%w", err)
	}
	for _, p := range parsed.Names {
		if strings.EqualFold(p, "owner") || strings.EqualFold(p, "tenant") {
			return nil, failed("there is no scope to fill @%s; use package rawsql, or give the parameter another name", p)
		}
	}
	hash := sha256.Sum256([]byte(text))
	return &Statement{
		audit: a, name: string(name), hash: hex.EncodeToString(hash[:]),
		sql: parsed.SQL(parsed.Names), names: parsed.Names,
	}, nil
}

// Exec runs the statement, writes the record, and returns how many rows were
// affected. The actor is the authenticated user or the job; it must not be blank or
// any form of zero. The reason is a constant and must not be blank.
//
// On an error nothing was done, and the transaction can go on unless the database has
// aborted it.
func (s *Statement) Exec(ctx context.Context, tx pgx.Tx, actor string, reason constant, args Args) (int64, error) {
	return s.run(ctx, tx, actor, reason, args, func(tx pgx.Tx, values []any) (int64, error) {
		tag, err := tx.Exec(ctx, s.sql, values...)
		return tag.RowsAffected(), err
	})
}

// Query is like [Statement.Exec] for a statement that returns rows. It keeps them in
// memory, and returns them only when they are on record. row reads one of them, such
// as pgx.RowToStructByName[T].
func Query[T any](ctx context.Context, tx pgx.Tx, s *Statement, actor string, reason constant, args Args, row pgx.RowToFunc[T]) ([]T, error) {
	if row == nil {
		return nil, errors.New("across: the function that reads a row is nil")
	}
	var out []T
	_, err := s.run(ctx, tx, actor, reason, args, func(tx pgx.Tx, values []any) (int64, error) {
		rows, err := tx.Query(ctx, s.sql, values...)
		if err != nil {
			return 0, err
		}
		out, err = pgx.CollectRows(rows, row)
		return int64(len(out)), err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Statement) run(ctx context.Context, tx pgx.Tx, actor string, reason constant, args Args, do func(pgx.Tx, []any) (int64, error)) (int64, error) {
	if s == nil || s.audit == nil {
		return 0, errors.New("across: the Statement was not made by MustStatement")
	}
	r := record{actor: actor, reason: string(reason)}
	values, err := s.check(tx, r, args)
	if err == nil {
		r.rows, err = s.recorded(ctx, tx, r, values, do)
	}
	if err != nil {
		return 0, fmt.Errorf("across: statement %q by %q for %q: %w", s.name, actor, string(reason), err)
	}
	return r.rows, nil
}

func (s *Statement) check(tx pgx.Tx, r record, args Args) ([]any, error) {
	if !sendable(r.actor) {
		return nil, errors.New("the actor is not valid UTF-8")
	}
	if _, err := owner.For(r.actor); err != nil {
		return nil, errors.New("the actor is nobody: blank, or zero")
	}
	if !visible(r.reason) {
		return nil, errors.New("it needs a reason that can be read")
	}
	if sqltext.Missing(tx) {
		return nil, errors.New("the transaction is nil")
	}
	return sqltext.Values(s.names, args)
}

// recorded runs the statement and writes the record, or does neither.
func (s *Statement) recorded(ctx context.Context, tx pgx.Tx, r record, values []any, do func(pgx.Tx, []any) (int64, error)) (_ int64, err error) {
	sp, err := tx.Begin(ctx) // a savepoint
	if err != nil {
		return 0, err
	}
	done := false
	defer func() { // also if reading a row panics
		if !done {
			_ = end(ctx, sp.Rollback)
		}
	}()
	if r.rows, err = do(sp, values); err != nil {
		return 0, err
	}
	if err := s.audit.write(ctx, sp, s, r); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	done = true
	return r.rows, end(ctx, sp.Commit)
}

// end releases a savepoint or rolls back to it. A context that has ended must not
// prevent it: an undone statement would be committed. If the server refuses, the
// transaction has failed and cannot be committed; if it does not answer in time, pgx
// closes the connection.
func end(ctx context.Context, how func(context.Context) error) error {
	const timeout = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	return how(ctx)
}

func visible(s string) bool { return sendable(s) && strings.TrimSpace(s) != "" }
