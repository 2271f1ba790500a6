package idempotency_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/idempotency"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

func ExampleHandler() {
	ctx := context.Background()
	pool := dbtest.Example() // a *pgxpool.Pool
	defer pool.Close()
	for _, sql := range []string{once.Schema, "create table orders (id bigint primary key, customer text)"} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			panic(err)
		}
	}

	customer := func(r *http.Request) (string, error) { return "alice", nil } // as authenticated
	order := idempotency.Handler(pool, "orders", customer,
		func(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error) {
			var id int
			err := tx.QueryRow(ctx, "insert into orders select count(*) + 1, 'alice' from orders returning id").Scan(&id)
			if err != nil {
				return idempotency.Response{}, err
			}
			return idempotency.JSON(http.StatusCreated, map[string]int{"id": id})
		})
	handler := errs.NewCatalog().Handler(order)

	for _, key := range []string{`"a"`, `"a"`, `"b"`, ""} {
		r := httptest.NewRequest("POST", "/orders", nil)
		if key != "" {
			r.Header.Set(idempotency.Header, key)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body.String()[:8])
	}
	// Output:
	// 201 {"id":1}
	// 201 {"id":1}
	// 201 {"id":2}
	// 400 {"type":
}
