package errs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/errs"
)

// users connects to the database and creates users and their orders: Eve, who is user 1,
// has one. The function that it returns drops them.
func users(ctx context.Context) (pool *pgxpool.Pool, drop func()) {
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = pool.Exec(ctx, `create table users (
			id bigint primary key,
			email text not null,
			age bigint not null,
			constraint users_email_key unique (email),
			constraint users_age_check check (age >= 18));
		create table orders (
			id bigint primary key,
			user_id bigint not null,
			constraint orders_user_id_fkey foreign key (user_id) references users);
		insert into users values (1, 'eve@example.com', 30);
		insert into orders values (1, 1)`)
	if err != nil {
		log.Fatal(err)
	}
	return pool, func() {
		if _, err := pool.Exec(ctx, "drop table orders; drop table users"); err != nil {
			log.Fatal(err)
		}
		pool.Close()
	}
}

// A handler returns the error of the database, and the client is told what it can do.
func ExampleCatalog_Handler() {
	pool, drop := users(context.Background())
	defer drop()

	catalog := errs.NewCatalog(
		errs.Constraint("users_email_key").Code("email_taken").Field("/email").Message("This e-mail address is already registered."),
	)
	handler := catalog.Handler(func(w http.ResponseWriter, r *http.Request) error {
		_, err := pool.Exec(r.Context(), "insert into users values (2, $1, 20)", r.FormValue("email"))
		return err
	})

	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/users?email=eve@example.com", nil)
	r.Header.Set("X-Request-Id", "7f3a")
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	fmt.Print(w.Body)
	// Output:
	// 409 application/problem+json
	// {"type":"about:blank","title":"Conflict","status":409,"detail":"This e-mail address is already registered.","code":"email_taken","errors":[{"pointer":"/email","code":"email_taken","detail":"This e-mail address is already registered."}],"request_id":"7f3a"}
}

// A foreign key has two ends, and an error that is not understood says nothing.
func ExampleCatalog_Translate() {
	ctx := context.Background()
	pool, drop := users(ctx)
	defer drop()

	catalog := errs.NewCatalog(
		errs.Constraint("orders_user_id_fkey").On("orders").
			Missing("unknown_user", "/user_id", "There is no such user.").
			InUse("user_has_orders", "The user still has orders."),
	)
	for _, sql := range []string{"insert into orders values (2, 99)", "delete from users where id = 1", "select * from nowhere"} {
		_, err := pool.Exec(ctx, sql)
		fmt.Println(catalog.Translate(err))
	}
	// Output:
	// There is no such user.
	// The user still has orders.
	// Internal error.
}

// Rules for the constraints of a table. Each violation becomes one field of the request.
func ExampleConstraint() {
	ctx := context.Background()
	pool, drop := users(ctx)
	defer drop()

	catalog := errs.NewCatalog(
		errs.PrimaryKey("users", "id").Code("id_taken").Field("/id"),
		errs.Constraint("users_email_key").Code("email_taken").Field("/email"),
		errs.Constraint("users_age_check").On("users").Code("too_young").Field("/age"),
		errs.NotNull("users", "email").Code("email_required").Field("/email"),
	)
	for _, values := range []string{
		"1, 'ann@example.com', 30",
		"2, 'eve@example.com', 30",
		"2, 'ann@example.com', 17",
		"2, null, 30",
	} {
		_, err := pool.Exec(ctx, "insert into users values ("+values+")")
		var e *errs.Error
		if errors.As(catalog.Translate(err), &e) {
			fmt.Println(e.Status(), e.Code(), e.Field())
		}
	}
	// Output:
	// 409 id_taken /id
	// 409 email_taken /email
	// 422 too_young /age
	// 422 email_required /email
}

// A domain of PostgreSQL that is NOT NULL: the server names neither table nor column.
func ExampleDomainNotNull() {
	catalog := errs.NewCatalog(errs.DomainNotNull("email_address").Code("email_required").Field("/email"))

	// This stands for the error of: insert into members (email) values (null)
	violation := &pgconn.PgError{Code: "23502", DataTypeName: "email_address"}
	var e *errs.Error
	if errors.As(catalog.Translate(violation), &e) {
		fmt.Println(e.Status(), e.Code(), e.Field())
	}
	// Output: 422 email_required /email
}

// A trigger refuses a change with a SQLSTATE of the application:
//
//	raise exception 'account % is closed', new.account using errcode = 'OW001';
func ExampleSQLState() {
	catalog := errs.NewCatalog(
		errs.SQLState("OW001").Kind(errs.Conflict).Code("account_closed").Field("/account").Message("This account is closed."),
	)
	var e *errs.Error
	errors.As(catalog.Translate(&pgconn.PgError{Code: "OW001", Message: "account 4711 is closed"}), &e)
	fmt.Println(e.Status(), e.Code(), e.Field(), e)
	// Output: 409 account_closed /account This account is closed.
}

// One SQLSTATE for all errors of the application's SQL, which differ in their hint:
//
//	raise exception 'account % is closed', new.account using hint = 'account_closed';
func ExampleRule_Hint() {
	catalog := errs.NewCatalog(
		errs.SQLState("P0001").Hint("account_closed").Kind(errs.Conflict).Code("account_closed"),
		errs.SQLState("P0001").Hint("account_empty").Kind(errs.Invalid).Code("account_empty"),
	)
	for _, hint := range []string{"account_closed", "account_empty", "anything else"} {
		var e *errs.Error
		if errors.As(catalog.Translate(&pgconn.PgError{Code: "P0001", Hint: hint}), &e) {
			fmt.Println(e.Status(), e.Code())
		}
	}
	// Output:
	// 409 account_closed
	// 422 account_empty
	// 500 internal
}

// An error of the application's own code.
func ExampleIs() {
	errInsufficient := errors.New("balance of account 4711 is -5")
	catalog := errs.NewCatalog(
		errs.Is(errInsufficient).Kind(errs.Invalid).Code("insufficient_funds").Field("/amount").Message("There is not enough money."),
	)
	fmt.Println(catalog.Translate(fmt.Errorf("transfer: %w", errInsufficient)))
	// Output: There is not enough money.
}

type limitError struct{ limit int }

func (e *limitError) Error() string { return fmt.Sprint("more than ", e.limit) }

// All errors of a type have one meaning, here with a status that no kind has.
func ExampleAs() {
	catalog := errs.NewCatalog(
		errs.As[*limitError]().Kind(errs.Forbidden).Status(http.StatusPaymentRequired).Code("limit_reached").Message("Your plan has reached its limit."),
	)
	var e *errs.Error
	if errors.As(catalog.Translate(fmt.Errorf("upload: %w", &limitError{limit: 10})), &e) {
		fmt.Println(e.Status(), e)
	}
	// Output: 402 Your plan has reached its limit.
}

// A package has rules for its own tables and shares those of all.
func ExampleCatalog_With() {
	shared := errs.NewCatalog(errs.Is(context.Canceled).Kind(errs.Canceled).Code("gone"))
	catalog := shared.With(errs.Constraint("users_email_key").Code("email_taken").Field("/email"))

	violation := &pgconn.PgError{Code: "23505", ConstraintName: "users_email_key"}
	for _, c := range []*errs.Catalog{shared, catalog} {
		var e *errs.Error
		if errors.As(c.Translate(violation), &e) {
			fmt.Println(e.Code())
		}
	}
	// Output:
	// already_exists
	// email_taken
}

// On PostgreSQL, a rule for a partitioned table is also one for its partitions, which
// name constraints of their own.
func ExampleCatalog_WithPartitions() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	catalog := errs.NewCatalog(
		errs.Constraint("events_number_key").Code("number_taken").Field("/number"),
	).WithPartitions(pool)
	_, err = pool.Exec(ctx, "insert into events (day, number) values ('2026-01-31', 7)") // into events_2026_01
	fmt.Println(catalog.Translate(err))
}

// In development the log also has the texts of the database.
func ExampleCatalog_WithValues() {
	ctx := context.Background()
	pool, drop := users(ctx)
	defer drop()
	_, err := pool.Exec(ctx, "insert into users values (2, 'eve@example.com', 30)")

	catalog := errs.NewCatalog()
	if os.Getenv("DEVELOPMENT") != "" {
		catalog = catalog.WithValues()
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Error("request failed", "error", catalog.Translate(err))
	fmt.Println("the constraint:", strings.Contains(log.String(), "users_email_key"))
	fmt.Println("the address:", strings.Contains(log.String(), "eve@example.com"))
	// Output:
	// the constraint: true
	// the address: false
}

// A function returns the text in the client's language by the code.
func ExampleCatalog_WithMessages() {
	texts := map[string]map[string]string{
		"de": {"email_taken": "Diese E-Mail-Adresse ist schon registriert.", "not_found": "Nicht gefunden."},
	}
	catalog := errs.NewCatalog(
		errs.Constraint("users_email_key").Code("email_taken").Field("/email").Message("This e-mail address is already registered."),
	).WithMessages(func(ctx context.Context, code string) string {
		for _, language := range errs.Languages(ctx) {
			language, _, _ = strings.Cut(language, "-")
			if language == "en" {
				return "" // the catalog's own
			}
			if text := texts[language][code]; text != "" {
				return text
			}
		}
		return ""
	})

	taken := &pgconn.PgError{Code: "23505", ConstraintName: "users_email_key"}
	german := errs.ContextWithLanguages(context.Background(), "de-AT", "en")
	fmt.Println(catalog.TranslateContext(german, taken))
	fmt.Println(catalog.TranslateContext(german, errs.NotFound))
	fmt.Println(catalog.TranslateContext(context.Background(), taken))
	// Output:
	// Diese E-Mail-Adresse ist schon registriert.
	// Nicht gefunden.
	// This e-mail address is already registered.
}

func ExampleNew() {
	err := errs.New(errs.Invalid, errs.Code("not_positive"), errs.Field("/amount"), errs.Message("The amount must be positive."))
	fmt.Println(err)
	fmt.Println(errors.Is(err, errs.Invalid))
	body, _ := json.Marshal(err)
	fmt.Println(string(body))
	// Output:
	// The amount must be positive.
	// true
	// {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"The amount must be positive.","code":"not_positive","errors":[{"pointer":"/amount","code":"not_positive","detail":"The amount must be positive."}]}
}

// Several fields at fault, and a cause for the log.
func ExampleFields() {
	err := errs.New(errs.Invalid,
		errs.Fields(
			errs.FieldError{Pointer: "/from", Code: "not_a_date", Detail: "This is not a date."},
			errs.FieldError{Parameter: "size", Code: "too_large", Detail: "A page has at most 100 rows."},
		),
		errs.Cause(errors.New("parsing time \"yesterday\"")),
	)
	var e *errs.Error
	if errors.As(err, &e) {
		for _, f := range e.Fields() {
			fmt.Println(f.Pointer+f.Parameter, f.Code)
		}
		fmt.Println(e, "cause:", errors.Unwrap(e))
	}
	// Output:
	// /from not_a_date
	// size too_large
	// A value is not allowed. cause: parsing time "yesterday"
}

// A status that no kind has, and a time after which the client may come back.
func ExampleStatus() {
	gone := errs.New(errs.NotFound, errs.Status(http.StatusGone), errs.Message("This page was deleted."))
	closed := errs.New(errs.Unavailable, errs.RetryAfter(10*time.Minute))
	for _, err := range []error{gone, closed} {
		var e *errs.Error
		if errors.As(err, &e) {
			fmt.Println(e.Status(), e.Kind().Code(), e.RetryAfter())
		}
	}
	// Output:
	// 410 not_found 0s
	// 503 unavailable 10m0s
}

// The code of gRPC or Connect, for servers that speak these:
//
//	return status.Error(codes.Code(e.RPCCode()), e.Error())
func ExampleError_RPCCode() {
	var e *errs.Error
	if errors.As(errs.New(errs.AlreadyExists), &e) {
		fmt.Println(e.RPCCode()) // codes.AlreadyExists
	}
	// Output: 6
}

// A wrong catalog panics when the program starts, with all that is wrong.
func ExampleNewCatalog() {
	defer func() { fmt.Println(recover()) }()
	errs.NewCatalog(
		errs.Constraint("users_email_key").Code("email_taken").Field("email"),
		errs.Constraint("users_name_key"),
	)
	// Output:
	// errs.NewCatalog:
	// 	Constraint("users_email_key"): the field "email" is not a JSON Pointer such as "/email"
	// 	Constraint("users_name_key"): it has no Code, Missing or InUse
}

type soldOutError struct{ item string }

func (e *soldOutError) Error() string   { return "sold out: " + e.item } // for logs
func (e *soldOutError) Kind() errs.Kind { return errs.Conflict }

// Any error with a Kind method is understood, and so is a kind itself.
func ExampleKind() {
	var catalog *errs.Catalog // without rules
	fmt.Println(catalog.Translate(fmt.Errorf("order 7: %w", &soldOutError{item: "pen"})))
	fmt.Println(catalog.Translate(fmt.Errorf("quota of tenant 7: %w", errs.TooManyRequests)))
	// Output:
	// The request conflicts with existing data.
	// Too many requests. Please slow down.
}
