package schema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/schema"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

// With WithPartitions the rules of a table are enough for its partitions.
func TestVerifyWithPartitions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("its partitions are no tables")
		}
		_, err := db.Exec(t.Context(), `
			create table p (id bigint primary key);
			create table m (
				id bigint, email text not null, age int, pid bigint, slug text,
				constraint m_adult check (age >= 18), constraint m_email_once unique (id, email),
				constraint m_p foreign key (pid) references p (id)) partition by range (id);
			create unique index m_slug on m (id, lower(slug));
			create table r (id bigint, email text, constraint r_m foreign key (id, email) references m (id, email));
			create table m_1 partition of m for values from (0) to (10);
			create table m_2 partition of m for values from (10) to (30) partition by range (id);
			create table m_2a partition of m_2 for values from (10) to (20);
			create table "M 3" (age int, id bigint, slug text, email text not null, pid bigint, constraint m_adult check (age >= 18));
			alter table m attach partition "M 3" for values from (30) to (40)`)
		require.NoError(t, err)
		plain := errs.NewCatalog(
			errs.PrimaryKey("p").Code("p_taken"),
			errs.Constraint("m_email_once").Code("email_taken").Field("/email"),
			errs.Constraint("m_adult").On("m").Code("too_young").Field("/age"),
			errs.Constraint("m_slug").Code("slug_taken").Field("/slug"),
			errs.Constraint("m_p").On("m").Missing("no_such_p", "/pid", "").InUse("p_in_use", ""),
			errs.Constraint("r_m").Missing("no_such_m", "/id", "").InUse("m_in_use", ""),
			errs.NotNull("m", "email").Code("email_required").Field("/email"),
		)
		found, err := schema.Verify(t.Context(), db, plain.WithPartitions(db))
		require.NoError(t, err)
		require.Empty(t, found)
		found, err = schema.Verify(t.Context(), db, plain)
		require.NoError(t, err)
		require.NotEmpty(t, found)

		// The proposed rules are those of the parent.
		found, err = schema.Verify(t.Context(), db, new(errs.Catalog).WithPartitions(db))
		require.NoError(t, err)
		var names []string
		for _, f := range found {
			require.Contains(t, f.Add, `errs.`)
			require.NotContains(t, f.Add, "m_1")
			require.NotContains(t, f.Add, "m_2")
			names = append(names, f.Name)
		}
		require.ElementsMatch(t, []string{"p_pkey", "m_email_once", "m_adult", "m_slug", "m_p", "r_m"}, names)
	})
}
