package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// description is what the server said of a statement.
type description struct {
	pgconn.StatementDescription
	fields []pgconn.FieldDescription // in the formats of fieldsIn
}

// fieldsIn returns the fields of the statement's rows if they come in these formats.
func (d *description) fieldsIn(formats []int16) []pgconn.FieldDescription {
	format := func(i int) int16 {
		switch {
		case len(formats) == 1:
			return formats[0]
		case i < len(formats):
			return formats[i]
		}
		return pgx.TextFormatCode
	}
	for i := range d.Fields {
		if len(d.fields) != len(d.Fields) || d.fields[i].Format != format(i) {
			d.fields = slices.Clone(d.Fields)
			for i := range d.fields {
				d.fields[i].Format = format(i)
			}
			break
		}
	}
	return d.fields
}

// descriptions are those that are kept of a connection. In the modes without a cache
// the capacity is 0 and none is kept.
type descriptions struct {
	lru     lru[string, *description] // by text
	dropped []string                  // names that the server may still have
}

func (c *descriptions) get(sql string) *description {
	d, _ := c.lru.get(sql)
	return d
}

// put keeps the description of a statement that was just prepared.
func (c *descriptions) put(d *description) {
	c.drop(d.SQL)
	if oldest, full := c.lru.put(d.SQL, d); full {
		c.forget(oldest)
	}
	c.dropped = slices.DeleteFunc(c.dropped, func(name string) bool { return name == d.Name }) // it is in use again
}

func (c *descriptions) drop(sql string) {
	if d, found := c.lru.remove(sql); found {
		c.forget(d)
	}
}

// dropAll drops all descriptions, because one was stale.
func (c *descriptions) dropAll() {
	for d, found := c.lru.removeOldest(); found; d, found = c.lru.removeOldest() {
		c.forget(d)
	}
}

func (c *descriptions) forget(d *description) {
	if d.Name != "" {
		c.dropped = append(c.dropped, d.Name)
	}
}

// nameOf returns the name of a prepared statement: a hash of its text, so that it means
// the same statement in every session. Behind a pooler a name may reach a session in
// which another client prepared it.
func nameOf(sql string) string {
	digest := sha256.Sum256([]byte(sql))
	return "rowkeeper_" + hex.EncodeToString(digest[:24])
}
