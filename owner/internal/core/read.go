package core

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/jackc/pgx/v5"
)

// Get reads the row with that primary key.
func (q *Query) Get(ctx context.Context, db DB, key []any, row unsafe.Pointer) error {
	if err := check(q.Table, q.Identity, db); err != nil {
		return err
	}
	if q.Table.View != nil {
		return Misuse("view %s: Get is for tables; use Where and One", q.Table.Name)
	}
	args, err := q.Table.keyArguments(key)
	if err != nil {
		return err
	}
	q.Order = nil
	return q.one(ctx, db, args, 0, row)
}

// One reads the only row.
func (q *Query) One(ctx context.Context, db DB, row unsafe.Pointer) error {
	fetch := 2
	if q.Limited {
		fetch = min(fetch, q.Limit)
	}
	return q.one(ctx, db, nil, fetch, row)
}

// one reads the only row. If there can be more, it has to fetch two.
func (q *Query) one(ctx context.Context, db DB, key []any, fetch int, row unsafe.Pointer) error {
	if err := q.prepare(db, false); err != nil {
		return err
	}
	sql, args, err := q.Statement(key, fetch)
	if err != nil {
		return err
	}
	n := 0
	err = each(ctx, db, sql, args, func(rows pgx.Rows) error {
		if n++; n > 1 {
			return nil
		}
		return rows.Scan(q.Table.fields(nil, row)...)
	})
	switch {
	case noSuchKey(err, q.Identity.N+1, len(key)):
		return q.Table.NotFound()
	case err != nil:
		return q.Table.failed("select from", err)
	case n == 0:
		return q.Table.NotFound()
	case n > 1:
		return q.Table.tooMany(1)
	}
	return nil
}

// All reads the rows into those that next returns, and fails if there are more than
// MaxRows and the select has no limit.
func (q *Query) All(ctx context.Context, db DB, next func() unsafe.Pointer) error {
	fetch, most := MaxRows+1, MaxRows
	if q.Limited {
		fetch, most = q.Limit, q.Limit
	}
	if err := q.prepare(db, false); err != nil {
		return err
	}
	sql, args, err := q.Statement(nil, fetch)
	if err != nil {
		return err
	}
	n := 0
	fields := make([]any, 0, len(q.Table.Readable))
	err = each(ctx, db, sql, args, func(rows pgx.Rows) error {
		if n++; n > most {
			return nil
		}
		return rows.Scan(q.Table.fields(fields, next())...)
	})
	if err != nil {
		return q.Table.failed("select from", err)
	}
	if n > most {
		return q.Table.tooMany(most)
	}
	return nil
}

// Rows reads one row after another into those that next returns, until use, which is
// called after each, returns false.
func (q *Query) Rows(ctx context.Context, db DB, next func() unsafe.Pointer, use func() bool) error {
	if err := q.prepare(db, false); err != nil {
		return err
	}
	var s Statement
	q.build(&s, nil, q.Limit)
	if err := q.Table.leading(s.args); err != nil {
		return err
	}
	rows, err := db.Query(ctx, s.sql.String(), s.args...)
	if err != nil {
		return q.Table.failed("select from", err)
	}
	defer rows.Close()
	fields := make([]any, 0, len(q.Table.Readable))
	for rows.Next() {
		if err := rows.Scan(q.Table.fields(fields, next())...); err != nil {
			return q.Table.failed("select from", err)
		}
		if !use() {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return q.Table.failed("select from", err)
	}
	return nil
}

func (t *Table) tooMany(most int) error {
	return fmt.Errorf("%w: %s has more than %d for this call", ErrTooMany, t.Name, most)
}
