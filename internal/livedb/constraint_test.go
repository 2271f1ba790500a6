package livedb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/livedb"
)

func TestReadConstraints(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		run(t, db, `create table a (x bigint, y bigint, primary key (x, y), unique (y));
			create table b (x bigint, y bigint,
				constraint b_check check (y > x), constraint b_a foreign key (y, x) references a (x, y) on delete cascade);
			create table c (y bigint, constraint c_a foreign key (y) references a (y))`)
		run(t, db, `alter table c add constraint c_check check (y > 0) not valid`)
		s := read(t, db)
		a, b, c := tableOf(t, s, "a"), tableOf(t, s, "b"), tableOf(t, s, "c")
		require.Empty(t, a.Constraints, "those of indexes are left out")

		require.Len(t, b.Constraints, 2)
		fk, check := b.Constraints[0], b.Constraints[1]
		require.Equal(t, "b_a", fk.Name)
		require.Equal(t, livedb.ForeignKey, fk.Type)
		require.Equal(t, a.ID, fk.Referenced)
		require.Equal(t, "a", fk.ReferencedName)
		require.Equal(t, []string{"y", "x"}, fk.Columns)
		require.Equal(t, []string{"x", "y"}, fk.To)
		require.True(t, fk.Validated && fk.Enforced && fk.Named && fk.Missing)
		require.False(t, fk.InUse, "a delete cascades")
		require.Equal(t, "b_check", check.Name)
		require.Equal(t, livedb.Check, check.Type)
		require.ElementsMatch(t, []string{"x", "y"}, check.Columns)
		require.True(t, check.Validated && check.Enforced && check.Named)
		require.False(t, check.Missing || check.InUse)
		require.Zero(t, check.Parent)

		require.Len(t, c.Constraints, 2)
		require.True(t, c.Constraints[0].Missing && c.Constraints[0].InUse)
		require.False(t, c.Constraints[1].Validated)
	})
}

// A unique constraint without an index is in the list of constraints only.
func TestReadUniqueWithoutIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if !db.Cockroach() {
			t.Skip("it has none")
		}
		run(t, db, `set experimental_enable_unique_without_index_constraints = on;
			create table t (a bigint, b bigint, constraint bare unique without index (b), constraint kept unique (a))`)
		table := tableOf(t, read(t, db), "t")
		require.Len(t, table.Constraints, 1)
		require.Equal(t, "bare", table.Constraints[0].Name)
		require.Equal(t, "u", table.Constraints[0].Type)
	})
}

// Partitions have constraints of their own, and the server names those.
func TestReadConstraintsOfPartitions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("its partitions are no tables")
		}
		run(t, db, `create table a (id bigint primary key);
			create table m (id bigint primary key, a bigint,
				constraint m_check check (a > 0), constraint m_a foreign key (a) references a (id)) partition by range (id);
			create table m_1 partition of m for values from (0) to (10);
			create table r (m bigint, constraint r_m foreign key (m) references m (id))`)
		s := read(t, db)
		by := map[string]*livedb.Constraint{}
		var inUse, missing []string
		for _, table := range s.Tables {
			for _, c := range table.Constraints {
				by[table.Name+"."+c.Name] = c
				if c.InUse {
					inUse = append(inUse, table.Name+" to "+c.ReferencedName)
				}
				if c.Missing {
					missing = append(missing, table.Name+" to "+c.ReferencedName)
				}
				require.Equal(t, c.Type == livedb.Check && table.Name == "m_1" || c.Missing || c.InUse, c.Named, c.Name)
			}
		}
		require.Equal(t, by["m.m_check"].ID, by["m_1.m_check"].Parent)
		require.Equal(t, by["m.m_a"].ID, by["m_1.m_a"].Parent)
		require.ElementsMatch(t, []string{"m_1 to a", "r to m"}, missing, "a row is in a partition")
		require.ElementsMatch(t, []string{"m to a", "r to m_1"}, inUse, "a row that is pointed at too")
	})
}

func TestReadConstraintsNotEnforced(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if serverVersion(t, db) < 18 {
			t.Skip("it enforces all")
		}
		run(t, db, `create table t (n bigint, constraint n_check check (n > 0) not enforced, constraint n_one check (n > 1))`)
		table := tableOf(t, read(t, db), "t")
		require.False(t, table.Constraints[0].Enforced)
		require.True(t, table.Constraints[1].Enforced)
	})
}

// A domain of any schema counts if a table uses it.
func TestReadDomainChecks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			s := read(t, db)
			require.NoError(t, s.ReadDomainChecks(t.Context(), db))
			require.Empty(t, s.DomainChecks)
			return
		}
		tx, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer tx.Rollback(t.Context())
		other := db.Schema + "_other"
		_, err = tx.Exec(t.Context(), `create schema `+other+`;
			create domain here as bigint constraint here_check check (value > 0);
			create domain `+other+`.used as bigint constraint used_check check (value > 0);
			create domain `+other+`.unused as bigint constraint unused_check check (value > 0);
			create table t (n `+other+`.used)`)
		require.NoError(t, err)
		s := read(t, tx)
		require.Nil(t, s.DomainChecks)
		require.NoError(t, s.ReadDomainChecks(t.Context(), tx))
		var found []string
		for _, d := range s.DomainChecks {
			require.NotZero(t, d.ID)
			found = append(found, d.Domain+" "+d.Name)
		}
		require.Equal(t, []string{"here here_check", "used used_check"}, found)
	})
}
