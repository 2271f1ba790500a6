package txn

import (
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var errDriverBytes = errors.New("txn: cannot scan into *pgtype.DriverBytes from QueryRow: the row is closed when Scan returns")

// batchResults keeps the first error of a batch. The server's status is known only when
// the batch has been closed, so nothing is concluded before.
type batchResults struct {
	pgx.BatchResults
	at        *attempt
	queries   []*pgx.QueuedQuery
	first     error
	tags      tags
	seen      bool
	abandoned bool
	refused   bool // by a callback; its error is not the server's
}

// watch returns a copy of b in which every result is observed, including results not
// read before Close and errors that a callback ignores. b itself is left unchanged,
// because pgx writes into what it sends and the function may send b again.
func (r *batchResults) watch(b *pgx.Batch) *pgx.Batch {
	r.queries = b.QueuedQueries
	watched := *b
	watched.QueuedQueries = make([]*pgx.QueuedQuery, len(b.QueuedQueries))
	for i, q := range b.QueuedQueries {
		fn, copied := q.Fn, *q
		copied.Fn = func(inner pgx.BatchResults) error {
			c := &batchCallback{BatchResults: inner, outer: r}
			if fn == nil || r.abandoned {
				_, err := c.Exec()
				return err
			}
			err := fn(c)
			r.refused = r.refused || err != nil
			return err
		}
		watched.QueuedQueries[i] = &copied
	}
	return &watched
}

func (r *batchResults) note(tag string, err error) {
	if r.first == nil {
		r.first = err
	}
	r.tags.add(tag)
}

func (r *batchResults) Exec() (pgconn.CommandTag, error) {
	if err := r.enter(); err != nil {
		return pgconn.CommandTag{}, err
	}
	defer r.leave()
	return r.exec(r.BatchResults)
}

func (r *batchResults) Query() (pgx.Rows, error) {
	if err := r.enter(); err != nil {
		return failedRows(err), err
	}
	defer r.leave()
	inner, err := r.query(r.BatchResults)
	return &gatedRows{Rows: inner, at: r.at}, err
}

func (r *batchResults) enter() error { return r.at.gate.await(r.at.ctx) }
func (r *batchResults) leave()       { r.at.gate.leave() }

func (r *batchResults) QueryRow() pgx.Row {
	rows, _ := r.Query()
	return row{rows}
}

func (r *batchResults) Close() error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	return r.close()
}

func (r *batchResults) close() error {
	err := r.BatchResults.Close()
	if !r.seen {
		r.seen = true
		r.at.closed(r)
		if !r.refused {
			r.note("", err)
		}
		r.at.observe(r.rollback(), r.tags.ended, r.first)
	}
	return err
}

// rollback returns the text of a query that may have rolled back to a savepoint, or "".
func (r *batchResults) rollback() string {
	for _, q := range r.queries {
		if hasRollback(q.SQL) {
			return q.SQL
		}
	}
	return ""
}

func (r *batchResults) abandon() {
	r.abandoned = true
	_ = r.close() // close records its error
}

func (r *batchResults) exec(br pgx.BatchResults) (pgconn.CommandTag, error) {
	tag, err := br.Exec()
	r.note(tag.String(), err)
	return tag, err
}

func (r *batchResults) query(br pgx.BatchResults) (pgx.Rows, error) {
	inner, err := br.Query()
	if err != nil {
		r.note("", err)
		return failedRows(err), err
	}
	return &batchRows{Rows: inner, batch: r}, nil
}

// batchCallback is the results from which a callback of a batch reads.
type batchCallback struct {
	pgx.BatchResults
	outer *batchResults
}

func (c *batchCallback) Exec() (pgconn.CommandTag, error) { return c.outer.exec(c.BatchResults) }
func (c *batchCallback) Query() (pgx.Rows, error)         { return c.outer.query(c.BatchResults) }
func (c *batchCallback) QueryRow() pgx.Row {
	rows, _ := c.Query()
	return row{rows}
}

// batchRows records the error that ends the rows of one query of a batch.
type batchRows struct {
	pgx.Rows
	batch *batchResults
}

func (r *batchRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.batch.note(r.Rows.CommandTag().String(), r.Rows.Err())
	return false
}

func (r *batchRows) Close() {
	r.Rows.Close()
	r.batch.note(r.Rows.CommandTag().String(), r.Rows.Err())
}
