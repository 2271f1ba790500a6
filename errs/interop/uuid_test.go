package interop_test

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
)

// userID names a user. The struct has all methods of uuid.UUID, which a type defined as
// one would not have: those for pgx, in all its modes, and for JSON.
type userID struct{ uuid.UUID }

type diary struct {
	ID     uuid.UUID `db:"id" owner:"pk" json:"id"`
	UserID userID    `db:"user_id" owner:"owner" json:"user_id"`
	Text   string    `db:"text" json:"text"`
}

var diaries = owner.MustTable[diary, userID]("diaries")

func TestRecipeOfUUIDOwners(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), "create table diaries (id uuid primary key default gen_random_uuid(), user_id uuid not null, text text not null)")
		require.NoError(t, err)
		_, err = owner.For(userID{})
		require.ErrorIs(t, err, owner.ErrUnscoped)
		ann, bob := userID{uuid.New()}, userID{uuid.New()}
		ofAnn, err := owner.For(ann)
		require.NoError(t, err)
		ofBob, err := owner.For(bob)
		require.NoError(t, err)
		for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
			config := db.Config().ConnConfig.Copy()
			config.DefaultQueryExecMode = mode
			conn, err := pgx.ConnectConfig(t.Context(), config)
			require.NoError(t, err)
			row := diary{Text: "x"}
			require.NoError(t, diaries.In(ofAnn).Insert(t.Context(), conn, &row), mode)
			require.Equal(t, ann, row.UserID)
			require.NotZero(t, row.ID)
			got, err := diaries.In(ofAnn).Get(t.Context(), conn, row.ID)
			require.NoError(t, err, mode)
			require.Equal(t, row, got)
			_, err = diaries.In(ofBob).Get(t.Context(), conn, row.ID)
			require.ErrorIs(t, err, owner.ErrNotFound, mode)
			text, err := json.Marshal(got)
			require.NoError(t, err)
			var back diary
			require.NoError(t, json.Unmarshal(text, &back))
			require.Equal(t, got, back)
			require.NoError(t, diaries.In(ofAnn).Delete(row.ID).Exec(t.Context(), conn))
			require.NoError(t, conn.Close(t.Context()))
		}
		settings, err := ofAnn.Settings()
		require.NoError(t, err)
		for _, value := range settings {
			require.Equal(t, ann.String(), value)
		}
	})
}
