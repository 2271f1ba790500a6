package core

import "context"

// A Delete deletes one of the owner's rows.
type Delete struct {
	Table    *Table
	Identity Identity
	Key      []any
	At       Version
}

// Exec runs the delete.
func (d *Delete) Exec(ctx context.Context, db DB) error {
	if err := check(d.Table, d.Identity, db); err != nil {
		return err
	}
	c, err := d.change()
	if err != nil {
		return err
	}
	ok, err := c.st.exec(ctx, db, "delete from", c.table)
	return c.outcome(ctx, db, ok, err)
}

// Queue queues the delete.
func (d *Delete) Queue(q Queue) error {
	if err := checkQueue(d.Table, d.Identity, q); err != nil {
		return err
	}
	c, err := d.change()
	if err != nil {
		return err
	}
	q.QueueExpect(1, c.st.sql.String(), c.st.args...)
	return nil
}

func (d *Delete) change() (*change, error) {
	t := d.Table
	args, err := t.keyArguments(d.Key)
	if err != nil {
		return nil, err
	}
	if err := d.At.check(t); err != nil {
		return nil, err
	}
	c := &change{st: newStatement(d.Identity), table: t, id: d.Identity, key: args, at: d.At}
	first := c.st.bind(args)
	c.st.text("delete from ", t.Quoted)
	c.st.writing(t, t.Key, first, nil)
	c.at.write(c.st, t)
	return c, nil
}
