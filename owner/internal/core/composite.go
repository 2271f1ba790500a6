package core

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// composites finds the columns of an order that are of a composite type: PostgreSQL
// compares them with a record, which it cannot read from a parameter, so there is no
// second page. The type decides and not the values of the first page, which may all be
// NULL.
type composites struct {
	started bool
	unknown []unknownType
}

// unknownType is the type of a column in the order that the connection does not know.
type unknownType struct {
	column *Column
	at     int // in the order
	oid    uint32
	simple bool // a value was read that no composite type has
	paren  bool // a value was read that looks like one
}

// see examines a row, in the order of its page.
func (c *composites) see(q *Query, at position, rows pgx.Rows) error {
	if !c.started {
		c.started = true
		if err := c.start(q, rows); err != nil {
			return err
		}
	}
	for i := range c.unknown {
		u := &c.unknown[i]
		switch text := at[u.at]; {
		case text == nil:
		case strings.HasPrefix(*text, "(") && strings.HasSuffix(*text, ")"):
			u.paren = true
		default:
			u.simple = true
		}
	}
	return nil
}

// start refuses the columns that the connection knows to be composite, and notes those
// whose types it does not know.
func (c *composites) start(q *Query, rows pgx.Rows) error {
	fields := rows.FieldDescriptions()
	for i, o := range q.Order {
		n := slices.Index(q.Table.Readable, o.Column)
		if n >= len(fields) {
			continue
		}
		oid := fields[n].DataTypeOID
		switch t, known := rows.TypeMap().TypeForOID(oid); {
		case !known:
			c.unknown = append(c.unknown, unknownType{column: o.Column, at: i, oid: oid})
		case isComposite(t):
			return refuseComposite(o.Column)
		}
	}
	return nil
}

func isComposite(t *pgtype.Type) bool {
	_, composite := t.Codec.(*pgtype.CompositeCodec)
	return composite
}

func refuseComposite(c *Column) error {
	return Misuse("column %s: PostgreSQL reads no values of its composite type, so no page can be sorted by it", c)
}

// check asks the database for the types that the values leave open. It needs a free
// connection. If all values are NULL, the type matters only if more rows follow.
func (c *composites) check(ctx context.Context, db DB, more bool) error {
	for _, u := range c.unknown {
		if u.simple || !u.paren && !more {
			continue
		}
		composite := false
		read := func(rows pgx.Rows) error { return rows.Scan(&composite) }
		if err := each(ctx, db, "select typtype = 'c' from pg_catalog.pg_type where oid = $1", []any{u.oid}, read); err != nil {
			return err
		}
		if composite {
			return refuseComposite(u.column)
		}
	}
	return nil
}
