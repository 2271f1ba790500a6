package txn

import "github.com/jackc/pgx/v5"

// gatedRows are the rows that the function reads. They enter the gate, because the call
// closes open rows when the function has returned. The call itself and the callbacks of
// a batch, which are inside already, read the rows without it.
type gatedRows struct {
	pgx.Rows
	at       *attempt
	finished bool  // read to the end or closed; nothing else uses them
	refused  error // the function has returned
}

// enter lets the function use the rows.
func (r *gatedRows) enter() bool {
	if r.refused == nil {
		r.refused = r.at.gate.await(r.at.ctx)
	}
	return r.refused == nil
}

func (r *gatedRows) leave() { r.at.gate.leave() }

func (r *gatedRows) Next() bool {
	if r.finished || !r.enter() {
		return false
	}
	defer r.leave()
	r.finished = !r.Rows.Next()
	return !r.finished
}

func (r *gatedRows) Scan(dest ...any) error {
	if r.finished {
		return r.Rows.Scan(dest...) // returns the error
	}
	if !r.enter() {
		return r.refused
	}
	defer r.leave()
	err := r.Rows.Scan(dest...)
	r.finished = err != nil
	return err
}

func (r *gatedRows) Values() ([]any, error) {
	if r.finished {
		return r.Rows.Values()
	}
	if !r.enter() {
		return nil, r.refused
	}
	defer r.leave()
	values, err := r.Rows.Values()
	r.finished = err != nil
	return values, err
}

func (r *gatedRows) Close() {
	if !r.finished && r.enter() {
		defer r.leave()
		r.Rows.Close()
		r.finished = true
	}
}

func (r *gatedRows) Err() error {
	if r.finished {
		return r.Rows.Err()
	}
	if !r.enter() {
		return r.refused
	}
	defer r.leave()
	return r.Rows.Err()
}

// Conn returns nil after the function has returned, as that of the Tx does.
func (r *gatedRows) Conn() *pgx.Conn {
	if r.at.gate.closed() {
		return nil
	}
	return r.Rows.Conn()
}
