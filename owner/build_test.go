package owner

import "testing"

// BenchmarkBuildSelect makes a select with three conditions, up to where it
// would be sent.
func BenchmarkBuildSelect(b *testing.B) {
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
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := int64(0)
	for b.Loop() {
		n++
		q := rows.In(me).Where(name.Eq("savings"), balance.Ge(1000+n), id.Ne(5000)).Limit(50)
		var s statement
		q.q.build(&s, nil, q.q.limit)
		if s.sql.Len() == 0 || len(s.args) != 5 {
			b.Fatal(s.sql.String())
		}
	}
}
