package txn_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func schemas(t *testing.T, db *dbtest.DB, suffixes ...string) (names []string) {
	t.Helper()
	for _, suffix := range suffixes {
		name := db.Schema + suffix
		quoted := pgx.Identifier{name}.Sanitize()
		_, err := db.Exec(t.Context(), "create schema "+quoted)
		require.NoError(t, err)
		t.Cleanup(func() { _, _ = db.Exec(context.Background(), "drop schema "+quoted+" cascade") })
		names = append(names, name)
	}
	return names
}

// Tables of all schemas in the list are found, in its order.
func TestSettingOfASearchPath(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		if !knowsSetLocal(t, db) {
			t.Skip("no SET LOCAL")
		}
		names := schemas(t, db, "_tenant", "_Other one")
		other := pgx.Identifier{names[1]}.Sanitize()
		for _, sql := range []string{
			"create table " + names[0] + ".here (n int)", "insert into " + names[0] + ".here values (1)",
			"create table " + other + ".here (n int)", "insert into " + other + ".here values (2)",
			"create table " + other + ".there (n int)", "insert into " + other + ".there values (3)",
		} {
			_, err := db.Exec(t.Context(), sql)
			require.NoError(t, err)
		}
		for list, want := range map[string][]int{
			names[0] + ", " + other: {1, 3},
			other + "," + names[0]:  {2, 3},
			"  " + strings.ToUpper(names[0]) + "\n,\t" + other + "  ":   {1, 3},
			`"no such; drop schema ""x""", ` + other + `, '"; select 1`: nil,
			other + `, "'; select 1", nowhere`:                          {2, 3},
		} {
			for _, name := range []string{"search_path", "Search_Path"} {
				for _, d := range []txn.DB{pool, wrapper{pool}} {
					var got [2]int
					err := txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
						err := tx.QueryRow(ctx, "select n from here where n > $1", 0).Scan(&got[0])
						if err != nil {
							return err
						}
						return tx.QueryRow(ctx, "select n from there").Scan(&got[1])
					}, txn.Setting(name, list))
					if want == nil {
						require.ErrorContains(t, err, "the value of "+name+" is not a list of names: there is no comma before")
						continue
					}
					require.NoError(t, err, list)
					require.Equal(t, want, got[:], list)
				}
			}
		}
		requireClean(t, pool)
	})
}

// Any list means the same as in PostgreSQL.
func TestSettingSplitsAListAsPostgreSQL(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB splits set_config by rules of its own")
		}
		names := schemas(t, db, "_a", "_A", "_b c", `_a"b`, "_ü", "_Ü", "_x,y", "_'q'", `_\`)
		var pieces []string
		for _, name := range names {
			pieces = append(pieces, name, pgx.Identifier{name}.Sanitize(), strings.ToUpper(name))
		}
		pieces = append(pieces, ",", ",", ",", ", ", " ,", " ", "\n", "\t", "\f", "\r", `"`, `""`, `''`, ";", "--", "$user", `"$user"`, "pg_temp")
		known, refused := 0, 0
		for seed := range uint64(500) {
			random := rand.New(rand.NewPCG(seed, 2))
			var b strings.Builder
			for i := range random.IntN(6) {
				if i > 0 && random.IntN(3) > 0 {
					b.WriteString(", ")
				}
				b.WriteString(pieces[random.IntN(len(pieces))])
			}
			list := b.String()
			get := func(ctx context.Context, tx pgx.Tx) (found []string, err error) {
				return found, tx.QueryRow(ctx, "select current_schemas(false)").Scan(&found)
			}
			var want []string
			wantErr := pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) error {
				_, err := tx.Exec(t.Context(), "select set_config('search_path', $1, true)", list)
				if err == nil {
					want, err = get(t.Context(), tx)
				}
				return err
			})
			got, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) ([]string, error) {
				return get(ctx, tx)
			}, txn.Setting("search_path", list))
			require.Equal(t, wantErr == nil, err == nil, "%q: %v, %v", list, wantErr, err)
			require.Equal(t, want, got, "%q", list)
			if err != nil {
				refused++
			} else if len(got) > 1 {
				known++
			}
		}
		require.Greater(t, known, 20)
		require.Greater(t, refused, 20)
	})
}

// For other lists one literal is the list.
func TestSettingOfOtherLists(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if !knowsSetLocal(t, db) {
			t.Skip("no SET LOCAL")
		}
		var got string
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			return tx.QueryRow(ctx, "show datestyle").Scan(&got)
		}, txn.Setting("DateStyle", "ISO, DMY")))
		require.Equal(t, "ISO, DMY", got)
		for _, list := range []string{"", " ", "pg_default", `"pg_default"`} {
			require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				return tx.QueryRow(ctx, "select 'ok'").Scan(&got)
			}, txn.Setting("search_path", list)), list)
		}
	})
}
