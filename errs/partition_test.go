package errs_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

// askedDB counts the queries.
type askedDB struct {
	*dbtest.DB
	n atomic.Int64
}

func (a *askedDB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	a.n.Add(1)
	return a.DB.Query(ctx, sql, args...)
}

// A rule is written once, and partitions come every month.
func TestPartitionsThatAreMadeLater(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("its partitions are no tables")
		}
		ctx := t.Context()
		_, err := db.Exec(ctx, `
			create table p (id bigint primary key);
			create table m (
				id bigint, email text not null, age int, pid bigint, slug text,
				constraint m_adult check (age >= 18), constraint m_email_once unique (id, email),
				constraint m_p foreign key (pid) references p (id)) partition by range (id);
			create unique index m_slug on m (id, lower(slug));
			create table r (id bigint, email text, constraint r_m foreign key (id, email) references m (id, email));
			create table m_1 partition of m for values from (0) to (10)`)
		require.NoError(t, err)
		asked := &askedDB{DB: db}
		plain := errs.NewCatalog(
			errs.PrimaryKey("p").Code("p_taken"),
			errs.Constraint("m_email_once").Code("email_taken").Field("/email"),
			errs.Constraint("m_adult").On("m").Code("too_young").Field("/age"),
			errs.Constraint("m_slug").Code("slug_taken").Field("/slug"),
			errs.Constraint("m_p").On("m").Missing("no_such_p", "/pid", "").InUse("p_in_use", ""),
			errs.Constraint("r_m").Missing("no_such_m", "/id", "").InUse("m_in_use", ""),
			errs.NotNull("m", "email").Code("email_required").Field("/email"),
		)
		catalog := plain.WithPartitions(asked).Patient()
		_, err = db.Exec(ctx, `
			create table m_2 partition of m for values from (10) to (30) partition by range (id);
			create table m_2a partition of m_2 for values from (10) to (20);
			create table "M 3" (age int, id bigint, slug text, email text not null, pid bigint, constraint m_adult check (age >= 18));
			alter table m attach partition "M 3" for values from (30) to (40);
			insert into p values (1);
			insert into m select n, 'a', 20, 1, 's' from unnest(array[1, 11, 31]) as n;
			insert into r values (1, 'a'), (11, 'a'), (31, 'a')`)
		require.NoError(t, err)

		code := func(c *errs.Catalog, sql string, args ...any) (string, string) {
			t.Helper()
			_, err := db.Exec(ctx, sql, args...)
			var e *errs.Error
			require.ErrorAs(t, c.Translate(err), &e)
			return e.Code(), e.Field()
		}
		cases := []struct{ sql, code, field string }{
			{"insert into m values ($1, 'a', 20, 1, 'other')", "email_taken", "/email"},
			{"insert into m values ($1, 'b', 20, 1, 'S')", "slug_taken", "/slug"},
			{"insert into m values ($1, 'b', 17, 1, 't')", "too_young", "/age"},
			{"insert into m values ($1, null, 20, 1, 't')", "email_required", "/email"},
			{"insert into m values ($1, 'b', 20, 99, 't')", "no_such_p", "/pid"},
			{"insert into r values ($1, 'c')", "no_such_m", "/id"},
			{"delete from m where id = $1", "m_in_use", ""},
			{"delete from p where id <= $1", "p_in_use", ""},
		}
		for _, id := range []int64{1, 11, 31} {
			for _, tc := range cases {
				got, field := code(catalog, tc.sql, id)
				require.Equal(t, tc.code, got, "%d: %s", id, tc.sql)
				require.Equal(t, tc.field, field, "%d: %s", id, tc.sql)
			}
		}
		before := asked.n.Load()
		code(catalog, cases[0].sql, 31)
		require.Equal(t, before, asked.n.Load(), "it remembers")
		got, _ := code(plain, cases[3].sql, 31)
		require.Equal(t, "internal", got, "without it the partition's own column has no rule")

		own, _ := code(catalog.With(errs.NotNull("m_2a", "email").Code("own")), cases[3].sql, 11)
		require.Equal(t, "own", own)
	})
}

// stuckDB is a pool that has no connection left.
type stuckDB struct{ asked atomic.Int64 }

func (s *stuckDB) Query(ctx context.Context, _ string, _ ...any) (pgx.Rows, error) {
	s.asked.Add(1)
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestPartitionsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	db := new(stuckDB)
	violation := &pgconn.PgError{Code: "23505", SchemaName: "public", TableName: "m_1", ConstraintName: "m_1_id_key"}
	catalog := errs.NewCatalog(errs.Constraint("m_id_key").Code("taken")).WithPartitions(db)
	for range 3 {
		var e *errs.Error
		require.ErrorAs(t, catalog.Translate(violation), &e)
		require.Equal(t, "already_exists", e.Code())
	}
	require.EqualValues(t, 1, db.asked.Load())
	var none *stuckDB
	require.Error(t, catalog.WithPartitions(nil).WithPartitions(none).Translate(violation))
}
