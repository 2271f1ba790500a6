package errs_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// A number from a client that is too large is the client's fault, whether pgx or the
// database refuses it.
func TestNumbersThatTheDriverRefuses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		_, err := db.Exec(ctx, "create table small (id int4 primary key, n int2, list int4[]); insert into small (id, n) values (1, 300)")
		require.NoError(t, err)
		const huge = int64(9999999999)
		catalog := errs.NewCatalog(errs.SQLState("22003").Kind(errs.Invalid).Code("number_too_large").Field("/n"))
		invalid := func(err error) {
			t.Helper()
			require.Error(t, err)
			var e *errs.Error
			require.ErrorAs(t, new(errs.Catalog).Translate(err), &e)
			require.Equal(t, errs.Invalid, e.Kind(), "%v", err)
			require.Equal(t, "out_of_range", e.Code(), "%v", err)
			require.ErrorAs(t, catalog.Translate(err), &e)
			require.Equal(t, "number_too_large", e.Code(), "by the catalog's rule")
			require.Equal(t, "/n", e.Fields()[0].Pointer)
			require.NotContains(t, e.Error(), "9999999999")
		}
		exec := func(sql string, args ...any) error { _, err := db.Exec(ctx, sql, args...); return err }
		invalid(exec("insert into small (id) values ($1)", huge))
		invalid(exec("insert into small (id) values ($1)", uint64(math.MaxUint64)))
		invalid(exec("insert into small (id, n) values (2, $1)", -70000))
		invalid(exec("insert into small (id, list) values (2, $1)", []int64{1, huge}))
		if !db.Cockroach() { // which only says that the client canceled
			_, err = db.CopyFrom(ctx, pgx.Identifier{"small"}, []string{"id"}, pgx.CopyFromRows([][]any{{5}, {huge}}))
			invalid(err)
		}
		batch := new(pgx.Batch)
		batch.Queue("update small set n = $1", huge)
		invalid(db.SendBatch(ctx, batch).Close())

		for name, queue := range map[string]func(tx *txn.Tx){
			"Queue":       func(tx *txn.Tx) { tx.Queue("update small set n = $1 where id = 1", huge) },
			"QueueExpect": func(tx *txn.Tx) { tx.QueueExpect(1, "update small set n = $1 where id = 1", huge) },
			"Exec":        func(tx *txn.Tx) { _, _ = tx.Exec(ctx, "update small set n = $1 where id = 1", huge) },
		} {
			err := txn.Run(ctx, db, func(_ context.Context, tx *txn.Tx) error { queue(tx); return nil })
			if name == "Exec" {
				require.NoError(t, err, "its error was dropped, and nothing was sent")
				continue
			}
			invalid(err)
		}
		std := stdlib.OpenDB(*db.Config().ConnConfig)
		defer std.Close()
		_, err = std.ExecContext(ctx, "update small set n = $1", huge)
		invalid(err)
		_, err = std.ExecContext(ctx, "update small set n = $1", uint64(math.MaxUint64))
		invalid(err)

		// A value that is read and does not fit is a fault of the service.
		var narrow int8
		require.Equal(t, errs.Internal, kindOf(db.QueryRow(ctx, "select n from small where id = 1").Scan(&narrow)))
		require.Equal(t, errs.Internal, kindOf(exec("insert into small (id) values ($1)", struct{}{})))
	})
}

func kindOf(err error) errs.Kind {
	var e *errs.Error
	errors.As(new(errs.Catalog).Translate(err), &e)
	return e.Kind()
}
