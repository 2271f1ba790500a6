package livedb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/livedb"
)

func indexOf(t *testing.T, table *livedb.Table, name string) livedb.Index {
	t.Helper()
	for _, i := range table.Indexes {
		if i.Name == name {
			index := *i
			require.NotZero(t, index.ID)
			index.Table, index.ID = 0, 0
			return index
		}
	}
	require.Fail(t, "there is no such index", name)
	return livedb.Index{}
}

func TestReadIndexes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		run(t, db, `create table t (a bigint, b bigint, c bigint, d bigint, constraint pk primary key (b, a), constraint uq unique (c, a));
			create index plain on t (c);
			create unique index partial on t (a) where b > 0`)
		run(t, db, map[bool]string{
			true:  `create unique index wide on t (c) storing (d)`,
			false: `create unique index wide on t (c) include (d)`,
		}[db.Cockroach()])
		table := tableOf(t, read(t, db), "t")
		require.Len(t, table.Indexes, 5)
		require.Equal(t, livedb.Index{Name: "pk", Columns: []string{"b", "a"}, Unique: true, Primary: true, Valid: true, Ready: true,
			Constraint: "pk", ConstraintType: "p"}, indexOf(t, table, "pk"))
		require.Equal(t, livedb.Index{Name: "uq", Columns: []string{"c", "a"}, Unique: true, Valid: true, Ready: true,
			Constraint: "uq", ConstraintType: "u"}, indexOf(t, table, "uq"))
		require.Equal(t, livedb.Index{Name: "plain", Columns: []string{"c"}, Valid: true, Ready: true}, indexOf(t, table, "plain"))
		for name, want := range map[string]livedb.Index{
			"partial": {Name: "partial", Columns: []string{"a"}, Unique: true, Partial: true, Valid: true, Ready: true},
			"wide":    {Name: "wide", Columns: []string{"c"}, Unique: true, Valid: true, Ready: true},
		} {
			got := indexOf(t, table, name)
			if db.Cockroach() { // may list them as constraints
				got.Constraint, got.ConstraintType = "", ""
			}
			require.Equal(t, want, got)
		}
	})
}

func TestReadIndexesOfPostgreSQL(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("it has none of these")
		}
		run(t, db, `create table t (a text, during tsrange, constraint later unique (a) deferrable, constraint apart exclude using gist (during with &&));
			create index expression on t (lower(a), a);
			create table p (id bigint, constraint p_key unique (id)) partition by range (id);
			create table p_1 partition of p for values from (0) to (10)`)
		s := read(t, db)
		table := tableOf(t, s, "t")
		require.Equal(t, livedb.Index{Name: "later", Columns: []string{"a"}, Unique: true, Deferrable: true, Valid: true, Ready: true,
			Constraint: "later", ConstraintType: "u"}, indexOf(t, table, "later"))
		require.Equal(t, livedb.Index{Name: "apart", Columns: []string{"during"}, Exclusion: true, Valid: true, Ready: true,
			Constraint: "apart", ConstraintType: "x"}, indexOf(t, table, "apart"))
		require.Equal(t, []string{"", "a"}, indexOf(t, table, "expression").Columns)
		key := tableOf(t, s, "p").Indexes[0]
		require.Equal(t, livedb.Index{Name: "p_1_id_key", Parent: key.ID, Columns: []string{"id"}, Unique: true, Valid: true, Ready: true,
			Constraint: "p_1_id_key", ConstraintType: "u"}, indexOf(t, tableOf(t, s, "p_1"), "p_1_id_key"))
	})
}

// CockroachDB has a column and a check of its own for such an index.
func TestReadHashShardedIndexes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if !db.Cockroach() {
			t.Skip("it has none")
		}
		run(t, db, `set experimental_enable_hash_sharded_indexes = on;
			create table t (id bigint, constraint pk primary key (id) using hash with bucket_count = 4)`)
		table := tableOf(t, read(t, db), "t")
		require.Len(t, table.Columns, 1)
		require.Equal(t, []string{"id"}, indexOf(t, table, "pk").Columns)
		require.Empty(t, table.Constraints)
	})
}
