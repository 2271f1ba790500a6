package schema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
	"github.com/rowkeeper/rowkeeper/owner/schema"
)

// The declaration says which columns of a key the database fills.
func TestVerifyDefaultInAKeyOfSeveralColumns(t *testing.T) {
	type entry struct {
		User   UserID `db:"user_id" owner:"owner"`
		Region string `db:"region" owner:"pk"`
		ID     int64  `db:"id" owner:"pk,default"`
	}
	entries := owner.MustTable[entry, UserID]("entries")
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, `create sequence entry_ids start 100;
			create table entries (user_id int8 not null, region text not null, id int8 not null default nextval('entry_ids'), primary key (region, id))`)
		type silent struct {
			User   UserID `db:"user_id" owner:"owner"`
			Region string `db:"region" owner:"pk"`
			ID     int64  `db:"id" owner:"pk"`
		}
		var found []string
		for _, f := range verified(t, db, owner.MustTable[silent, UserID]("entries")) {
			if f.Name == "id" {
				require.Equal(t, schema.Broken, f.Severity)
				found = append(found, f.Problem)
			}
		}
		require.Len(t, found, 1)
		require.Contains(t, found[0], "default")
		for _, f := range verified(t, db, entries) {
			require.NotEqual(t, "id", f.Name)
		}
	})
}

// An upsert by an id gives it a value, which the database may refuse.
func TestVerifyUpsertByAnIdentity(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no identity columns before v21.2")
		}
		_, err := db.Exec(t.Context(), `create table always (id int8 primary key generated always as identity, user_id int8 not null, text text not null);
			create index on always (user_id); insert into always (user_id, text) values (42, 'old')`)
		require.NoError(t, err)
		type row struct {
			ID   int64  `db:"id" owner:"pk"`
			User UserID `db:"user_id" owner:"owner"`
			Text string `db:"text"`
		}
		table := owner.MustTable[row, UserID]("always", owner.Unique(func(r *row) any { return &r.ID }))
		id := owner.Column(table, func(r *row) *int64 { return &r.ID })
		r := row{ID: 1, Text: "new"}
		require.ErrorContains(t, table.In(me).Upsert(t.Context(), db, &r, id), "428C9")
		found := verified(t, db, table)
		require.Len(t, found, 1)
		require.Equal(t, schema.Broken, found[0].Severity)
		mend(t, db, found[0])
		require.Empty(t, verified(t, db, table))
		require.NoError(t, table.In(me).Upsert(t.Context(), db, &r, id))
	})
}
