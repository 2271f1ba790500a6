package owner_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

// A write to a child prevents its parent from being given away and allows other
// changes.
func TestHeldParentsCanBeChanged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("its versions without READ COMMITTED need no lock, and take none")
		}
		ownerkit.CreateShop(t, db)
		ctx := t.Context()
		for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
			writer, err := db.BeginTx(ctx, pgx.TxOptions{IsoLevel: level})
			require.NoError(t, err)
			l := Line{OrderID: 1, N: 77, Text: string(level)}
			require.NoError(t, Lines.In(me).Insert(ctx, writer, &l))

			soon := func(f func(tx pgx.Tx) error) error {
				return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
					if _, err := tx.Exec(ctx, "set local lock_timeout = '300ms'"); err != nil {
						return err
					}
					return f(tx)
				})
			}
			var pe *pgconn.PgError
			require.ErrorAs(t, soon(func(tx pgx.Tx) error { return Orders.In(me).TransferTo(ctx, tx, other, 1) }), &pe)
			require.Equal(t, "55P03", pe.Code)
			require.NoError(t, soon(func(tx pgx.Tx) error {
				return Orders.In(me).Update(1).Set(OrderTitle.Set(string(level))).Exec(ctx, tx)
			}))
			require.NoError(t, writer.Rollback(ctx))
		}
	})
}
