package errs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/errs"
)

func ExampleCatalog_Handler() {
	catalog := errs.NewCatalog(
		errs.Constraint("users_email_key").Code("email_taken").Field("/email").Message("This e-mail address is already registered."),
	)
	insert := func() error { // stands for a statement that the database refuses
		return &pgconn.PgError{Code: "23505", ConstraintName: "users_email_key", Detail: "Key (email)=(eve@example.com) already exists."}
	}
	handler := catalog.Handler(func(w http.ResponseWriter, r *http.Request) error {
		return insert()
	})

	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/users", nil)
	r.Header.Set("X-Request-Id", "7f3a")
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	fmt.Print(w.Body)
	// Output:
	// 409 application/problem+json
	// {"type":"about:blank","title":"Conflict","status":409,"detail":"This e-mail address is already registered.","code":"email_taken","errors":[{"pointer":"/email","code":"email_taken","detail":"This e-mail address is already registered."}],"request_id":"7f3a"}
}

func ExampleCatalog_Translate() {
	catalog := errs.NewCatalog(
		errs.Constraint("orders_user_id_fkey").On("orders").
			Missing("unknown_user", "/user_id", "There is no such user.").
			InUse("user_has_orders", "The user still has orders."),
	)
	for _, message := range []string{
		`insert or update on table "orders" violates foreign key constraint "orders_user_id_fkey"`,
		`update or delete on table "users" violates foreign key constraint "orders_user_id_fkey" on table "orders"`,
	} {
		err := catalog.Translate(&pgconn.PgError{Code: "23503", TableName: "orders", ConstraintName: "orders_user_id_fkey", Message: message})
		fmt.Println(err)
	}
	fmt.Println(catalog.Translate(errors.New("dial tcp 10.0.0.1:5432: connection refused")))
	// Output:
	// There is no such user.
	// The user still has orders.
	// Internal error.
}

// One violated constraint becomes one field of the request.
func ExampleConstraint() {
	catalog := errs.NewCatalog(
		errs.Constraint("users_email_key").Code("email_taken").Field("/email").Message("This e-mail address is already registered."),
	)
	err := catalog.Translate(&pgconn.PgError{Code: "23505", ConstraintName: "users_email_key", Detail: "Key (email)=(eve@example.com) already exists."})
	body, _ := json.Marshal(err)
	fmt.Println(string(body))
	// Output: {"type":"about:blank","title":"Conflict","status":409,"detail":"This e-mail address is already registered.","code":"email_taken","errors":[{"pointer":"/email","code":"email_taken","detail":"This e-mail address is already registered."}]}
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

func ExampleIs() {
	errInsufficient := errors.New("balance of account 4711 is -5")
	catalog := errs.NewCatalog(
		errs.Is(errInsufficient).Kind(errs.Invalid).Code("insufficient_funds").Field("/amount").Message("There is not enough money."),
	)
	fmt.Println(catalog.Translate(fmt.Errorf("transfer: %w", errInsufficient)))
	// Output: There is not enough money.
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

// Any error with a Kind method is understood.
func ExampleKind() {
	fmt.Println(new(errs.Catalog).Translate(fmt.Errorf("quota of tenant 7: %w", errs.TooManyRequests)))
	// Output: Too many requests. Please slow down.
}
