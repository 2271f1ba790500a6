package audit

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// A counter counts rows. Its statements name tables and columns of the schema, quoted,
// and return a number and nothing else.
type counter struct {
	db        DB
	cockroach bool
	timeout   time.Duration
}

// enough is where counting stops.
const enough = 1000

// count returns how many rows the query returns, up to enough. It fails if that takes too
// long, or if the rows may not be read.
func (c *counter) count(ctx context.Context, query string) (n int64, err error) {
	if c.cockroach { // see limit
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	err = inTransaction(ctx, c.db, c.timeout, func(ctx context.Context, db DB) error {
		rows, err := db.Query(ctx, "select count(*) from ("+query+" limit "+strconv.Itoa(enough)+") as r")
		if err != nil {
			return err
		}
		n, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
		return err
	})
	return n, err
}

// prove counts the rows of the query if rows are to be looked at. If there are any, the
// finding is proved. It returns whether it is.
func (p *pass) prove(r *report, query, what string) bool {
	if p.rows == nil {
		return false
	}
	n, err := p.rows.count(p.ctx, query)
	switch {
	case err != nil:
		r.note("The rows could not be counted in time, or may not be read.")
	case n > 0:
		number := strconv.FormatInt(n, 10)
		if n == enough {
			number += " or more"
		}
		r.Confidence = finding.Proved
		r.Evidence = append(r.Evidence, finding.Evidence{Kind: finding.Count, Text: number + " " + what})
	default:
		r.note("No row is wrong today.")
	}
	return n > 0
}

// largest returns the largest value of a column, which an index has to find.
func (c *counter) largest(ctx context.Context, t *catalog.Table, column string) (n int64, err error) {
	query := "select coalesce(max(" + quoted(column) + "), 0)::int8 from " + name(t)
	err = inTransaction(ctx, c.db, c.timeout, func(ctx context.Context, db DB) error {
		rows, err := db.Query(ctx, query)
		if err != nil {
			return err
		}
		n, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
		return err
	})
	return n, err
}

// quoted returns a list of quoted columns, each after the prefix "c." if one is given.
func quoted(columns ...string) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = pgx.Identifier{c}.Sanitize()
	}
	return strings.Join(list, ", ")
}

// name returns the quoted name of a table.
func name(t *catalog.Table) string { return catalog.Qualified(t.Schema, t.Name) }

func duplicates(t *catalog.Table, columns ...string) string {
	notNull := make([]string, len(columns))
	for i, c := range columns {
		notNull[i] = quoted(c) + " is not null"
	}
	return "select 1 from " + name(t) + " where " + strings.Join(notNull, " and ") +
		" group by " + quoted(columns...) + " having count(*) > 1"
}

func orphans(t *catalog.Table, column string, parent *catalog.Table, key string) string {
	return "select 1 from " + name(t) + " as c where c." + quoted(column) + " is not null and not exists (select 1 from " +
		name(parent) + " as p where p." + quoted(key) + " = c." + quoted(column) + ")"
}

func where(t *catalog.Table, column, condition string) string {
	return "select 1 from " + name(t) + " where " + quoted(column) + " " + condition
}
