package errs_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/txn"
)

// A known constraint costs at most 300 ns and 2 allocations.
func BenchmarkTranslate(b *testing.B) {
	rules := []errs.Rule{
		errs.Is(errNoMoney).Kind(errs.Conflict).Code("no_money"),
		errs.SQLState("OW001").Kind(errs.Forbidden).Code("closed"),
		errs.Constraint("orders_customer_fkey").Missing("unknown_customer", "/customer_id", "").InUse("customer_has_orders", ""),
	}
	for i := range 100 {
		rules = append(rules, errs.Constraint(fmt.Sprintf("table_%d_key", i)).Code("taken").Field("/field").Message("Taken."))
	}
	c := errs.NewCatalog(rules...)
	unique := &pgconn.PgError{Code: "23505", ConstraintName: "table_50_key", TableName: "table_50",
		Message: `duplicate key value violates unique constraint "table_50_key"`, Detail: "Key (field)=(value) already exists."}
	foreign := &pgconn.PgError{Code: "23503", ConstraintName: "orders_customer_fkey", TableName: "orders",
		Message: `insert or update on table "orders" violates foreign key constraint "orders_customer_fkey"`}
	for name, err := range map[string]error{
		"unique":              unique,
		"foreign key":         foreign,
		"wrapped":             fmt.Errorf("create: %w", unique),
		"wrapped three times": fmt.Errorf("a: %w", fmt.Errorf("b: %w", fmt.Errorf("c: %w", unique))),
		"of txn":              &txn.ExhaustedError{Err: &pgconn.PgError{Code: "40001"}},
		"pgx v4":              drivers["pgx v4"](unique),
		"lib-pq":              drivers["lib/pq"](unique),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if c.Translate(err) == nil {
					b.Fatal("no error")
				}
			}
		})
	}
}

func TestTranslateAllocatesLittle(t *testing.T) {
	err := fmt.Errorf("create: %w", &pgconn.PgError{Code: "23505", ConstraintName: "customers_email_key"})
	if n := testing.AllocsPerRun(2000, func() { _ = shop.Translate(err) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}
