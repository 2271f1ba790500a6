package schema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/schema"
)

type memo struct {
	ID   int64  `db:"id" owner:"pk"`
	Text string `db:"text"`
}

// Everybody reads a SharedTable: that rows of it have an owner must not go unseen.
func TestVerifySharedTableWithAnOwner(t *testing.T) {
	type named struct {
		ID     int64  `db:"id" owner:"pk"`
		UserID UserID `db:"user_id"`
	}
	type own struct {
		ID     int64  `db:"id" owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
	}
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), `create table accounts (id int8 primary key, user_id int8 not null, name text not null); create index on accounts (user_id);
			create table memos (id int8 primary key, user_id int8 not null, text text not null);
			create table tips (id int8 primary key, text text not null)`)
		require.NoError(t, err)
		for name, shared := range map[string]owner.AnyTable{
			"the column is there":  owner.MustShared[memo]("memos"),
			"the struct has it":    owner.MustShared[named]("memos"),
			"it is declared twice": owner.MustShared[memo]("memos"),
		} {
			t.Run(name, func(t *testing.T) {
				tables := []owner.AnyTable{accounts, shared}
				want := "user_id"
				if name == "it is declared twice" {
					tables[0], want = owner.MustTable[own, UserID]("memos"), "memos"
				}
				var found []schema.Finding
				for _, f := range verified(t, db, tables...) {
					if f.Severity == schema.Exposed && f.Table == "memos" {
						found = append(found, f)
					}
				}
				require.Len(t, found, 1)
				require.Equal(t, want, found[0].Name)
				require.Contains(t, found[0].Problem, "SharedTable")
				require.Equal(t, `comment on table "memos" is 'rowkeeper: shared';`, found[0].SQL)
			})
		}
		for _, f := range verified(t, db, accounts, owner.MustShared[memo]("tips")) {
			require.NotEqual(t, "tips", f.Table)
		}
		for _, f := range verified(t, db, accounts, owner.MustShared[memo]("memos")) {
			if f.Table == "memos" {
				mend(t, db, f)
			}
		}
		for _, f := range verified(t, db, accounts, owner.MustShared[memo]("memos")) {
			require.NotEqual(t, "memos", f.Table, "%v", f)
		}
	})
}
