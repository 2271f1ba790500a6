package core

import (
	"reflect"
	"testing"
)

// The text of a read by key alone exists already; only its arguments are built.
func TestGetByKeyAloneWritesNoText(t *testing.T) {
	type row struct {
		ID   int64 `db:"id" owner:"pk"`
		User int64 `db:"user_id" owner:"owner"`
	}
	rows := MustDeclare("accounts", reflect.TypeFor[row](), &Table{OwnerTypes: []reflect.Type{reflect.TypeFor[int64]()}}, func(*Declaration) {})
	me := Identity{N: 1, Value: [2]any{int64(42)}, Arg: [2]any{int64(42)}}
	q, key := Query{Table: rows, Identity: me}, []any{int64(7)}
	fast, args, err := q.Statement(key, 0)
	if err != nil || len(args) != 2 || args[0] != int64(42) || args[1] != int64(7) {
		t.Fatal(args, err)
	}
	var s Statement
	q.build(&s, key, 0)
	if s.sql.String() != fast {
		t.Errorf("%s\ninstead of %s", fast, s.sql.String())
	}
	if n := testing.AllocsPerRun(2000, func() { _, _, _ = q.Statement(key, 0) }); n > 1 {
		t.Errorf("%v allocations, want 1", n)
	}
}
