package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

// An audit of 150 tables with 16 columns, three indexes and two foreign keys each, on the
// preferred engine.
func BenchmarkRun150Tables(b *testing.B) {
	db := dbtest.First(b)
	var sql strings.Builder
	sql.WriteString("create table users (id bigint primary key, email text not null unique)")
	for i := range 150 {
		fmt.Fprintf(&sql, ";\ncreate table t%d (user_id bigint not null references users, id bigint not null, other bigint not null", i)
		for c := range 12 {
			fmt.Fprintf(&sql, ", c%d text", c)
		}
		fmt.Fprintf(&sql, ", balance bigint not null check (balance >= 0), primary key (user_id, id), unique (user_id, c0)")
		if i > 0 {
			fmt.Fprintf(&sql, ", foreign key (user_id, other) references t%d (user_id, id)", i-1)
		}
		fmt.Fprintf(&sql, ");\ncreate index on t%d (user_id, other)", i)
	}
	run(b, db.Pool, sql.String())
	b.ResetTimer()
	for range b.N {
		findings, _, err := audit.Run(b.Context(), db.Pool, audit.Options{Schemas: []string{db.Schema}, TestDatabase: true})
		require.NoError(b, err)
		require.Empty(b, findings)
	}
}
