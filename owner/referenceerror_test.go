package owner_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

// A refused reference gives the client the same response as the foreign key itself:
// the catalog has one rule for both.
func TestReferencesUseTheRulesOfTheirForeignKeys(t *testing.T) {
	country := errs.Constraint("orders_country_fkey").Missing("unknown_country", "/address/country", "There is no such country.")
	order := errs.Constraint("lines_order_id_fkey").On("lines").Missing("unknown_order", "/order", "")
	catalogs := map[string]*errs.Catalog{}
	for name, coupon := range map[string]errs.Rule{
		"PostgreSQL":         errs.Constraint("orders_coupon_id_fkey"),
		"of the table":       errs.Constraint("orders_coupon_id_fkey").On("orders"),
		"CockroachDB":        errs.Constraint("fk_coupon_id_ref_coupons"),
		"with the owner":     errs.Constraint("orders_user_id_coupon_id_fkey"),
		"the owner last":     errs.Constraint("orders_coupon_id_user_id_fkey"),
		"by columns":         errs.Constraint("any_name").On("orders").Columns("coupon_id"),
		"by columns, owner":  errs.Constraint("any_name").On("orders").Columns("coupon_id", "user_id"),
		"by columns, owner ": errs.Constraint("any_name").On("orders").Columns("user_id", "coupon_id"),
	} {
		catalogs[name] = errs.NewCatalog(coupon.Missing("unknown_coupon", "/coupon_code", "There is no such coupon."), country, order)
	}
	none := errs.NewCatalog(errs.Constraint("orders_coupon_id_fkey").On("others").Missing("x", "", ""), errs.Constraint("orders_country_fkey").InUse("y", ""),
		errs.Constraint("z").On("orders").Columns("coupon_id", "country").Missing("z", "", ""))
	always := errs.NewCatalog(errs.Is(owner.ErrReference).Kind(errs.ReferenceNotFound).Code("always"), country)
	translated := func(c *errs.Catalog, err error) (code, field, text string) {
		var e *errs.Error
		require.ErrorIs(t, err, owner.ErrReference)
		require.ErrorAs(t, c.Translate(err), &e)
		require.ErrorIs(t, e, errs.ReferenceNotFound)
		return e.Code(), e.Field(), e.Error()
	}
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx := t.Context()
		in, lines := Orders.In(me), Lines.In(me)
		ours := int64(10)
		fresh := func(coupon *int64, country string) *Order {
			return &Order{Number: 9, Title: "x", Coupon: coupon, Country: country}
		}
		for name, do := range map[string]func(tx pgx.Tx, coupon *int64, country string) error{
			"Insert": func(tx pgx.Tx, coupon *int64, country string) error {
				return in.Insert(ctx, tx, fresh(coupon, country))
			},
			"Upsert": func(tx pgx.Tx, coupon *int64, country string) error {
				return in.Upsert(ctx, tx, fresh(coupon, country), OrderNumber)
			},
			"Update": func(tx pgx.Tx, coupon *int64, country string) error {
				return in.Update(1).Set(OrderCoupon.Set(coupon), OrderCountry.Set(country)).Exec(ctx, tx)
			},
			"UpdateWhere": func(tx pgx.Tx, coupon *int64, country string) error {
				_, err := in.UpdateWhere(OrderNumber.Eq(1)).Set(OrderCoupon.Set(coupon), OrderCountry.Set(country)).Exec(ctx, tx)
				return err
			},
		} {
			for _, coupon := range []*int64{&bobCoupon, &missingCoupon} {
				tx, err := db.Begin(ctx)
				require.NoError(t, err)
				err = do(tx, coupon, "at")
				for named, c := range catalogs {
					code, field, text := translated(c, err)
					require.Equal(t, []string{"unknown_coupon", "/coupon_code", "There is no such coupon."}, []string{code, field, text}, "%s, %s", name, named)
				}
				code, field, text := translated(always, err)
				require.Equal(t, []string{"always", "", "A referenced item does not exist."}, []string{code, field, text}, name)
				code, field, text = translated(none, err)
				require.Equal(t, []string{"reference_not_found", "/coupon", "A referenced item does not exist."}, []string{code, field, text}, name)
				require.NoError(t, tx.Rollback(ctx))
			}
			tx, err := db.Begin(ctx)
			require.NoError(t, err)
			code, field, _ := translated(catalogs["PostgreSQL"], do(tx, &ours, "xx"))
			require.Equal(t, []string{"unknown_country", "/address/country"}, []string{code, field}, name)
			require.NoError(t, tx.Rollback(ctx))
		}
		for name, do := range map[string]func(tx pgx.Tx) error{
			"Insert": func(tx pgx.Tx) error { return lines.Insert(ctx, tx, &Line{OrderID: bobOrder, N: 9}) },
			"InsertMany": func(tx pgx.Tx) error {
				return lines.InsertMany(ctx, tx, []Line{{OrderID: 1, N: 9}, {OrderID: bobOrder, N: 9}})
			},
			"Upsert": func(tx pgx.Tx) error { return lines.Upsert(ctx, tx, &Line{OrderID: bobOrder, N: 1}, LineOrder, LineN) },
		} {
			tx, err := db.Begin(ctx)
			require.NoError(t, err)
			err = do(tx)
			code, field, _ := translated(catalogs["PostgreSQL"], err)
			require.Equal(t, []string{"unknown_order", "/order"}, []string{code, field}, name)
			_, field, _ = translated(none, err)
			require.Equal(t, "/OrderID", field)
			require.NoError(t, tx.Rollback(ctx))
		}
		code, field, _ := translated(catalogs["PostgreSQL"], in.TransferTo(ctx, db, other, 1))
		require.Equal(t, []string{"reference_not_found", ""}, []string{code, field}, "one of two")
		code, field, _ = translated(catalogs["PostgreSQL"], in.InsertMany(ctx, db, []Order{*fresh(&bobCoupon, "at")}))
		require.Equal(t, []string{"reference_not_found", ""}, []string{code, field}, "one of two")
		ownerkit.RequireBobsShopUnchanged(t, db)
	})
	require.Panics(t, func() { errs.NewCatalog(errs.Constraint("x").Columns("a").Missing("x", "", "")) }, "without On")
	require.Panics(t, func() { errs.NewCatalog(errs.Constraint("x").On("t").Columns("a").Code("x")) }, "no foreign key")
	require.Panics(t, func() { errs.NewCatalog(errs.Constraint("x").On("t").Columns().Missing("x", "", "")) })
}
