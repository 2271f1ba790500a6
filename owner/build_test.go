package owner

import "testing"

// builder returns a function that builds a select with three conditions without
// sending it.
func builder(t testing.TB) func() {
	type row struct {
		ID      int64  `db:"id" owner:"pk"`
		User    int64  `db:"user_id" owner:"owner"`
		Name    string `db:"name"`
		Balance int64  `db:"balance"`
	}
	rows := MustTable[row, int64]("accounts")
	id := Column(rows, func(r *row) *int64 { return &r.ID })
	name := Column(rows, func(r *row) *string { return &r.Name })
	balance := Column(rows, func(r *row) *int64 { return &r.Balance })
	me, err := For(int64(42))
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	return func() {
		n++
		q := rows.In(me).Where(name.Eq("savings"), balance.Ge(1000+n), id.Ne(5000)).Limit(50)
		var s statement
		q.q.build(&s, nil, q.q.limit)
		if s.sql.Len() == 0 || len(s.args) != 5 {
			t.Fatal(s.sql.String())
		}
	}
}

func BenchmarkBuildSelect(b *testing.B) {
	build := builder(b)
	b.ReportAllocs()
	for b.Loop() {
		build()
	}
}

// Not parallel: allocations of other tests would count.
func TestBuildSelectAllocatesLittle(t *testing.T) {
	if n := testing.AllocsPerRun(2000, builder(t)); n > 6 {
		t.Errorf("%v allocations, want at most 6", n)
	}
}

// The text of a read by key alone exists already; only its arguments are built.
func TestGetByKeyAloneWritesNoText(t *testing.T) {
	type row struct {
		ID   int64 `db:"id" owner:"pk"`
		User int64 `db:"user_id" owner:"owner"`
	}
	rows := MustTable[row, int64]("accounts")
	me, err := For(int64(42))
	if err != nil {
		t.Fatal(err)
	}
	q, key := rows.In(me).q, []any{int64(7)}
	fast, args, err := q.statement(key, 0)
	if err != nil || len(args) != 2 || args[0] != int64(42) || args[1] != int64(7) {
		t.Fatal(args, err)
	}
	var s statement
	q.build(&s, key, 0)
	if s.sql.String() != fast {
		t.Errorf("%s\ninstead of %s", fast, s.sql.String())
	}
	if n := testing.AllocsPerRun(2000, func() { _, _, _ = q.statement(key, 0) }); n > 1 {
		t.Errorf("%v allocations, want 1", n)
	}
}
