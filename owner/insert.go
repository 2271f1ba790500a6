package owner

import (
	"context"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"
)

// Insert inserts the row as the owner's, and then fills it with what the
// database stored: keys, defaults, and what triggers made of it. On an error
// the row is as it was.
//
// A zero owner field stands for the owner in scope; one that names somebody
// else is refused with [ErrOtherOwner]. Columns declared pk or default are left
// to the database where they are zero; all others are inserted as they are.
//
// A unique constraint that does not begin with the owner column tells by its
// violation that somebody has that value; this holds for the primary key too,
// where the client chooses it.
func (s Scoped[R, O]) Insert(ctx context.Context, db DB, row *R) error {
	t := s.table
	if err := check(t, s.scope, db); err != nil {
		return err
	}
	if row == nil {
		return misuse("table %s: the row to insert is nil", t.name)
	}
	v := reflect.ValueOf(row).Elem()
	if own := v.FieldByIndex(t.owner.index); !own.IsZero() && own.Interface() != any(s.scope.owner) {
		return fmt.Errorf("%w (table %s)", ErrOtherOwner, t.name)
	}

	st := newStatement(s.scope.arg)
	st.text("insert into ", t.quoted, " (", t.owner.quoted)
	for _, c := range t.columns {
		field := v.FieldByIndex(c.index)
		if c.owner || (c.pk || c.dfault) && field.IsZero() {
			continue
		}
		st.text(", ", c.quoted)
		st.args = append(st.args, fieldArgument(field))
	}
	st.text(") values ($1")
	for i := range st.args[1:] {
		st.text(", ")
		st.ref(i + 2)
	}
	st.text(") returning ", t.list)

	// Into a row of its own: the error may come after the data, as from a
	// deferred constraint.
	stored := new(R)
	n := 0
	err := st.query(ctx, db, func(rows pgx.Rows) error {
		n++
		return rows.Scan(t.fields(stored)...)
	})
	if err != nil {
		return t.failed("insert into", err)
	}
	if n == 0 {
		return misuse("insert into %s: the database stored no row; does a trigger or rule suppress it?", t.name)
	}
	from := reflect.ValueOf(stored).Elem()
	for _, c := range t.columns {
		v.FieldByIndex(c.index).Set(from.FieldByIndex(c.index))
	}
	return nil
}
