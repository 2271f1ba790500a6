package schema_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/oddtypes"
	"github.com/rowkeeper/rowkeeper/owner/schema"
)

// Verify reports the Go types that lose values of the column.
func TestVerifyFindsLossyTypes(t *testing.T) {
	type losing struct {
		ID       int64                 `db:"id" owner:"pk"`
		UserID   UserID                `db:"user_id" owner:"owner"`
		Price    float64               `db:"price"`
		Rate     *float32              `db:"rate"`
		Parent   oddtypes.ZeroIsNull   `db:"parent"`
		Email    oddtypes.Lowered      `db:"email"`
		Length   *time.Duration        `db:"length"`
		Group    oddtypes.NullIsZeroID `db:"grp"`
		Extra    *oddtypes.Shape       `db:"extra"`
		Exact    pgtype.Numeric        `db:"exact"`
		At       *time.Time            `db:"at"`
		Day      *oddtypes.DayOnly     `db:"day"`
		Local    *time.Time            `db:"local"`
		Ref      *oddtypes.UUID        `db:"ref"`
		Raw      json.RawMessage       `db:"raw"`
		Data     []byte                `db:"data"`
		Name     *string               `db:"name"`
		Score    float64               `db:"score"`
		Flag     *bool                 `db:"flag"`
		Interval pgtype.Interval       `db:"span"`
	}
	table := owner.MustTable[losing, UserID]("losing")
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), `create table losing (id int8 primary key default 1, user_id int8 not null, price numeric not null, rate float8, parent int8, email text not null,
			length interval, grp uuid, extra jsonb, exact numeric, at timestamptz, day date, local timestamp, ref uuid, raw jsonb, data bytea, name text, score float8 not null, flag bool, span interval);
			create index on losing (user_id)`)
		require.NoError(t, err)
		findings, err := schema.Verify(t.Context(), db, table)
		require.NoError(t, err)
		found := map[string]string{}
		for _, f := range findings {
			if _, problem, ok := strings.Cut(f.Problem, "does not hold every value: "); ok {
				require.Equal(t, schema.Advice, f.Severity)
				require.Empty(t, f.SQL)
				found[f.Name] = problem
			}
		}
		require.Equal(t, map[string]string{
			"price":  "0.12345678901234567891 is 0.12345678901234568 once it was read and is written back",
			"rate":   "0.1 is 0.10000000149011612 once it was read and is written back",
			"parent": "0 is NULL once it was read and is written back",
			"email":  "Aa is aa once it was read and is written back",
			"length": "1 mon 2 days 00:00:03 is 768:00:03 once it was read and is written back",
			"grp":    "NULL is 00000000-0000-0000-0000-000000000000 once it was read and is written back",
			"extra":  "null is NULL once it was read and is written back",
		}, found)
	})
}

// CockroachDB keeps a real in 64 bits.
func TestVerifyFindsRealsOfCockroachDB(t *testing.T) {
	type real struct {
		ID     int64   `db:"id" owner:"pk"`
		UserID UserID  `db:"user_id" owner:"owner"`
		Wide   float64 `db:"wide"`
		Narrow float32 `db:"narrow"`
	}
	table := owner.MustTable[real, UserID]("reals")
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), "create table reals (id int8 primary key default 1, user_id int8 not null, wide real not null, narrow real not null); create index on reals (user_id)")
		require.NoError(t, err)
		findings, err := schema.Verify(t.Context(), db, table)
		require.NoError(t, err)
		var found []string
		for _, f := range findings {
			if strings.Contains(f.Problem, "keeps more than it gives out") {
				found = append(found, f.Name+" "+f.SQL)
			}
		}
		if !db.Cockroach() {
			require.Empty(t, found)
			return
		}
		require.Equal(t, []string{"narrow ", "wide set enable_experimental_alter_column_type_general = on;\nalter table \"reals\" alter column \"wide\" type float8;"}, found)
	})
}
