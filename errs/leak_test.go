package errs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/txn"
)

// Every field of a database error holds a canary: a value in fields that may hold
// values, and a name in those that hold names of the schema, which may be logged.
const (
	canaryValue = "canary-4711"
	canaryName  = "canaryname"
)

var nameFields = map[string]bool{"SchemaName": true, "TableName": true, "ColumnName": true, "DataTypeName": true, "ConstraintName": true, "Routine": true}

// withCanaries fills every string of an error except its code, by reflection, so that
// the test covers fields that pgx adds later.
func withCanaries(code, message, detail string) *pgconn.PgError {
	e := new(pgconn.PgError)
	v := reflect.ValueOf(e).Elem()
	for i := range v.NumField() {
		switch name := v.Type().Field(i).Name; {
		case v.Field(i).Kind() != reflect.String:
		case nameFields[name]:
			v.Field(i).SetString(canaryName)
		default:
			v.Field(i).SetString(canaryValue)
		}
	}
	e.Code = code
	if message != "" {
		e.Message = message
	}
	if detail != "" {
		e.Detail = detail
	}
	return e
}

// leaks returns the outputs of err that contain a canary.
func leaks(t testing.TB, c *errs.Catalog, err error) (found []string) {
	public := map[string]string{}
	private := map[string]string{}

	e := c.Translate(err)
	body, jsonErr := json.Marshal(e)
	require.NoError(t, jsonErr)
	public["MarshalJSON"] = string(body)
	for _, format := range []string{"%v", "%+v", "%s", "%q"} {
		public[format] = fmt.Sprintf(format, e)
	}
	typed := e.(*errs.Error)
	public["accessors"] = fmt.Sprint(typed.Error(), typed.Code(), typed.Field(), typed.Fields(), typed.Kind(), typed.Status(), typed.RetryAfter())

	var text, structured bytes.Buffer
	for _, h := range []slog.Handler{
		slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}),
		slog.NewJSONHandler(&structured, &slog.HandlerOptions{Level: slog.LevelDebug}),
	} {
		l := slog.New(h)
		l.Error("x", "error", e)
		l.Error("x", "error", fmt.Errorf("wrapped: %w", e))
		w := httptest.NewRecorder()
		c.WithLogger(l).Handler(func(http.ResponseWriter, *http.Request) error { return err }).
			ServeHTTP(w, httptest.NewRequest("POST", "/x", nil))
		public["response body"] += w.Body.String()
		public["response headers"] += fmt.Sprint(w.Header())
	}
	private["text log"], private["JSON log"] = text.String(), structured.String()

	for where, s := range public {
		if strings.Contains(s, canaryValue) || strings.Contains(s, canaryName) {
			found = append(found, where+": "+s)
		}
	}
	for where, s := range private {
		if strings.Contains(s, canaryValue) {
			found = append(found, where+": "+s)
		}
	}
	return found
}

func TestNothingOfTheDatabaseLeaks(t *testing.T) {
	t.Parallel()
	withRules := shop.With(
		errs.Constraint(canaryName).Code("taken").Field("/x"),
		errs.NotNull(canaryName, canaryName).Code("needed").Field("/x"),
		errs.DomainNotNull(canaryName).Code("needed_too"),
	)
	codes := tableLines(t, "sqlstates_expected.txt", 6)
	codes = append(codes, []string{"OW001"}, []string{"ZZ999"}, []string{canaryValue}, []string{""})
	shapes := []struct{ message, detail string }{
		{"", ""},
		{`insert on table "` + canaryValue + `" violates foreign key constraint "` + canaryValue + `"`, "Key (" + canaryValue + ")=(" + canaryValue + ") is not present."},
		{`delete on table "` + canaryValue + `" violates foreign key constraint "` + canaryValue + `" on table "` + canaryValue + `"`, "Key (a)=(" + canaryValue + ") is still referenced."},
		{`null value in column "` + canaryName + `" violates not-null constraint`, "Failing row contains (" + canaryValue + ")."},
		{`new row violates row-level security policy for table "` + canaryValue + `"`, ""},
		{"error in argument for $1: " + canaryValue, ""},
	}
	wraps := map[string]func(error) error{
		"bare":       func(err error) error { return err },
		"fmt.Errorf": func(err error) error { return fmt.Errorf("%s: %w", canaryValue, err) },
		"joined":     func(err error) error { return errors.Join(errors.New(canaryValue), err, errors.New(canaryValue)) },
		"exhausted":  func(err error) error { return &txn.ExhaustedError{Name: canaryName, Attempts: 2, Err: err} },
		"unknown":    func(err error) error { return &txn.OutcomeUnknownError{Name: canaryName, Err: err} },
		"committed":  func(err error) error { return &txn.CommittedError{Name: canaryName, Err: err} },
		"errs.New":   func(err error) error { return errs.New(errs.Conflict, errs.Cause(err)) },
	}
	try := func(c *errs.Catalog, pe *pgconn.PgError, driver, wrap string) {
		if found := leaks(t, c, wraps[wrap](drivers[driver](pe))); found != nil {
			t.Fatalf("SQLSTATE %s of %s, %s:\n%s", pe.Code, driver, wrap, strings.Join(found, "\n"))
		}
	}
	for n, code := range codes {
		if testing.Short() && n%8 != 0 && len(code[0]) == 5 {
			continue // there are more of its kind
		}
		for name := range drivers {
			for i, shape := range shapes {
				pe := withCanaries(code[0], shape.message, shape.detail)
				if strings.HasPrefix(pe.Code, "42") { // of which logs have the message, with names of the schema
					pe.Message = strings.ReplaceAll(pe.Message, canaryValue, canaryName)
				}
				try(nil, pe, name, "bare")
				try(withRules, pe, name, "bare")
				for wrap := range wraps {
					if i == 0 {
						try(withRules, pe, name, wrap)
					}
				}
			}
		}
	}
}

func TestNothingOfOtherErrorsLeaks(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		fmt.Errorf("failed to encode args[0]: unable to encode %s into binary format for int4", canaryValue),
		pgconn.NewParseConfigError(canaryValue, canaryValue, errors.New(canaryValue)),
	} {
		require.Empty(t, leaks(t, shop, err), "%T", err)
	}
	for _, own := range []error{ // of which logs may have the text
		errors.New(canaryValue),
		fmt.Errorf("%s: %w", canaryValue, io.EOF),
		&txn.BusyError{Name: canaryValue},
		errNamed(canaryValue),
	} {
		for _, leak := range leaks(t, shop, own) {
			require.Regexp(t, "^(text|JSON) log", leak, "%T", own)
		}
	}
}

// Passwords and URLs in the texts of the application's own errors.
func TestNothingOfURLsLeaks(t *testing.T) {
	t.Parallel()
	call := &url.Error{Op: "Get", URL: "https://" + canaryValue + ":" + canaryValue + "@api.example.com/" + canaryValue + "?key=" + canaryValue + "#" + canaryValue, Err: io.EOF}
	plain := &url.Error{Op: "Post", URL: "https://hooks.example.com/services/" + canaryValue, Err: errors.New("refused")}
	texts := []string{
		"Authorization: Bearer " + canaryValue, `{"token": "a ` + canaryValue + `"}`, "api_key=" + canaryValue + "&x=1", "x-api-key: " + canaryValue, "PASSWORD='it\\'s " + canaryValue + "'",
		"host=h user=u password=" + canaryValue + " dbname=d", "host=h password = 'two " + canaryValue + "' port=1", "sslpassword=" + canaryValue,
		"a https://h.example/" + canaryValue + " and b https://u@h/" + canaryValue + "?x=a@" + canaryValue, "https://h?email=x@" + canaryValue + ".example",
		"see <https://h.example/" + canaryValue + "> or 'redis://:" + canaryValue + "@h:6379/0'",
	}
	for _, password := range []string{"%s", "a/%s", "a@%s", "a#%s", "a?%s", "a %s", "a:%s", `a"%s`, "a'%s", "%s/@/%s", "a<%s>", "ä%s"} {
		password = strings.ReplaceAll(password, "%s", canaryValue)
		for _, scheme := range []string{"postgres", "postgresql", "cockroachdb", "mongodb+srv", "https"} {
			texts = append(texts, scheme+"://u:"+password+"@db.example.com:5432/d?sslmode=disable", fmt.Sprintf("%q", scheme+"://u:"+password+"@db.example.com/d"))
		}
	}
	all := []error{call, plain}
	for _, text := range texts {
		_, parse := url.Parse(text)
		all = append(all, errors.New(text), fmt.Errorf("connect to %s failed", text), fmt.Errorf("first\nconnect %s: %w", text, io.EOF))
		if parse != nil {
			all = append(all, parse)
		}
		if _, err := pgx.ParseConfig(text); err != nil {
			all = append(all, err)
		}
	}
	for _, err := range all {
		for _, err := range []error{err, fmt.Errorf("charge: %w", err), fmt.Errorf("charge: %v", err), errors.Join(errors.New("x"), err)} {
			require.Empty(t, leaks(t, shop, err), "%v", err)
		}
	}
	require.Contains(t, logged(shop.Translate(fmt.Errorf("charge: %w", plain))), `error.text="charge: Post \"https://hooks.example.com…\": refused"`)
	require.Contains(t, logged(shop.Translate(fmt.Errorf("charge: %w", call))), `Get \"https://…\": EOF`)
	require.Contains(t, logged(shop.Translate(errors.New("no route to https://h.example:80, nor to http://i"))), `"no route to https://h.example:80, nor to http://i"`)
	require.Contains(t, logged(shop.WithValues().Translate(call)), canaryValue)
}

// errNamed is an error with a kind, whose text is not public.
type errNamed string

func (e errNamed) Error() string   { return string(e) }
func (e errNamed) Kind() errs.Kind { return errs.Conflict }
