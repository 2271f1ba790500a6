package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/idempotency"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// shop connects to the database and creates the ledger and a table of orders. The
// function that it returns drops them.
func shop(ctx context.Context) (pool *pgxpool.Pool, drop func()) {
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = pool.Exec(ctx, once.Schema+"; create table orders (id bigint primary key, item text not null)")
	if err != nil {
		log.Fatal(err)
	}
	return pool, func() {
		if _, err := pool.Exec(ctx, "drop table orders, rowkeeper_ledger"); err != nil {
			log.Fatal(err)
		}
		pool.Close()
	}
}

// customer is the owner of a request, as the service authenticated it.
func customer(r *http.Request) (string, error) {
	user, _, ok := r.BasicAuth()
	if !ok {
		return "", errs.Unauthenticated
	}
	return user, nil
}

// order carries out a request and answers with the number of the order.
func order(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error) {
	var wish struct {
		Item string `json:"item"`
	}
	if err := json.NewDecoder(r.Body).Decode(&wish); err != nil {
		return idempotency.Response{}, errs.New(errs.Malformed, errs.Cause(err))
	}
	var id int
	err := tx.QueryRow(ctx, "insert into orders select count(*) + 1, $1 from orders returning id", wish.Item).Scan(&id)
	if err != nil {
		return idempotency.Response{}, err
	}
	return idempotency.JSON(http.StatusCreated, map[string]int{"id": id})
}

// send makes a request of alice, with a key unless it is empty, and prints the response.
func send(h http.Handler, key, body string) {
	r := httptest.NewRequest("POST", "/orders", strings.NewReader(body))
	r.SetBasicAuth("alice", "secret")
	r.Header.Set("X-Request-Id", "7f3a")
	if key != "" {
		r.Header.Set(idempotency.Header, key)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	if w.Header().Get(idempotency.ReplayedHeader) != "" {
		fmt.Println("(replayed)")
	}
}

// A request that is repeated gets the first answer again.
func ExampleHandler() {
	ctx := context.Background()
	pool, drop := shop(ctx)
	defer drop()

	orders := errs.NewCatalog().Handler(idempotency.Handler(pool, "orders", customer, order))
	send(orders, `"a"`, `{"item": "pen"}`)
	send(orders, `"a"`, `{"item": "pen"}`)
	send(orders, `"b"`, `{"item": "pen"}`)
	send(orders, `"a"`, `{"item": "ink"}`)
	send(orders, "", `{"item": "pen"}`)
	// Output:
	// 201 {"id":1}
	// 201 {"id":1}
	// (replayed)
	// 201 {"id":2}
	// 422 {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"This key was used for a different request.","code":"key_reused","errors":[{"code":"key_reused","detail":"This key was used for a different request.","header":"Idempotency-Key"}],"request_id":"7f3a"}
	// 400 {"type":"about:blank","title":"Bad Request","status":400,"detail":"The header Idempotency-Key is missing.","code":"missing_idempotency_key","errors":[{"code":"missing_idempotency_key","detail":"The header Idempotency-Key is missing.","header":"Idempotency-Key"}],"request_id":"7f3a"}
}

// Keys are kept for a week, and clients that are older than the header go on as before.
func ExampleOption() {
	ctx := context.Background()
	pool, drop := shop(ctx)
	defer drop()

	options := []idempotency.Option{
		idempotency.Optional(),
		idempotency.Wait(), // for a request with the same key that is being executed
		idempotency.Retention(7 * 24 * time.Hour),
		idempotency.Transaction(txn.Name("order"), txn.MaxElapsed(5*time.Second)),
	}
	orders := errs.NewCatalog().Handler(idempotency.Handler(pool, "orders", customer, order, options...))
	send(orders, "", `{"item": "pen"}`)
	send(orders, "", `{"item": "pen"}`)
	// Output:
	// 201 {"id":1}
	// 201 {"id":2}
}

// A body may have 64 KiB, as the key stands for all of it.
func ExampleMaxBody() {
	ctx := context.Background()
	pool, drop := shop(ctx)
	defer drop()

	orders := errs.NewCatalog().Handler(idempotency.Handler(pool, "orders", customer, order))
	send(orders, `"a"`, strings.Repeat(" ", idempotency.MaxBody)+`{"item": "pen"}`)
	// Output: 413 {"type":"about:blank","title":"Request Entity Too Large","status":413,"detail":"The request is too large.","code":"too_large","request_id":"7f3a"}
}

// One service has many functions, and handlers of them that are made alike.
func ExampleFunc() {
	ctx := context.Background()
	pool, drop := shop(ctx)
	defer drop()

	var (
		owner     idempotency.Owner = customer
		endpoints                   = map[string]idempotency.Func{"orders": order}
		mux                         = http.NewServeMux()
	)
	for name, f := range endpoints {
		mux.Handle("POST /"+name, errs.NewCatalog().Handler(idempotency.Handler(pool, name, owner, f)))
	}
	send(mux, `"a"`, `{"item": "pen"}`)
	// Output: 201 {"id":1}
}

// Middleware that looks at the key before the handler does.
func ExampleKey() {
	for _, value := range []string{`"8e03978e-40d5"`, "8e03978e-40d5", "two words"} {
		key, err := idempotency.Key(http.Header{idempotency.Header: {value}})
		var refused *idempotency.KeyError
		if errors.As(err, &refused) {
			fmt.Println(refused.Kind().Status(), refused.Fields()[0].Code)
			continue
		}
		fmt.Println(key)
	}
	// Output:
	// 8e03978e-40d5
	// 8e03978e-40d5
	// 400 invalid_idempotency_key
}
