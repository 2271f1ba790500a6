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
		sql, args, err := q.q.Statement(nil, q.q.Limit)
		if sql == "" || len(args) != 5 || err != nil {
			t.Fatal(sql, err)
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
