package interop_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	goa "goa.design/goa/v3/pkg"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/interop/connectrpc"
	"github.com/rowkeeper/rowkeeper/errs/interop/grpcserver"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

// statement is a request that runs one statement.
func statement(db *pgxpool.Pool, sql string, args ...any) work {
	return func(ctx context.Context) error {
		_, err := db.Exec(ctx, sql, args...)
		return err
	}
}

func fails(err error) work { return func(context.Context) error { return err } }

func TestFrameworksAnswerWhatTheDatabaseSaid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), schema)
		require.NoError(t, err)
		for _, test := range []struct {
			name   string
			work   work
			status int
			rpc    codes.Code
			code   string
			detail string
			header http.Header
		}{
			{"unique", statement(db.Pool, "insert into canary_people values (3, 'canary', 'canary@example.com', 18, null)"),
				409, codes.AlreadyExists, "email_taken", "This e-mail address is already registered.", nil},
			{"foreign key, child", statement(db.Pool, "insert into canary_people values (3, 'canary', null, 18, 4711)"),
				422, codes.InvalidArgument, "unknown_parent", "A referenced item does not exist.", nil},
			{"foreign key, parent", statement(db.Pool, "delete from canary_people where id = 1"),
				409, codes.FailedPrecondition, "has_children", "Others belong to this one.", nil},
			{"not null", statement(db.Pool, "insert into canary_people values (3, null, null, 18, null)"),
				422, codes.InvalidArgument, "name_required", "A required value is missing.", nil},
			{"check", statement(db.Pool, "insert into canary_people values (3, 'canary', null, 17, null)"),
				422, codes.InvalidArgument, "too_young", "A value is not allowed.", nil},
			{"format", statement(db.Pool, "select 'canary'::uuid"),
				400, codes.InvalidArgument, "malformed", "A value has the wrong format.", nil},
			{"no rows", func(ctx context.Context) error {
				var id int64
				return db.QueryRow(ctx, "select id from canary_people where id = 4711").Scan(&id)
			}, 404, codes.NotFound, "not_found", "Not found.", nil},
			{"wrong SQL", statement(db.Pool, "select canary from canary_people"),
				500, codes.Internal, "internal", "Internal error.", nil},
			{"argument that pgx refuses", statement(db.Pool, "select $1::int8", []string{canary}),
				500, codes.Internal, "internal", "Internal error.", nil},
			{"busy", fails(errs.New(errs.Contention, errs.Cause(errors.New(canary)), errs.RetryAfter(3*time.Second))),
				503, codes.Unavailable, "contention", "The service is busy. Please try again.", http.Header{"Retry-After": {"3"}}},
			{"unknown outcome", fails(errs.New(errs.OutcomeUnknown, errs.Cause(errors.New(canary)))),
				500, codes.Unknown, "outcome_unknown", "We could not confirm whether this was saved.", nil},
			{"unauthenticated", fails(errs.Unauthenticated),
				401, codes.Unauthenticated, "unauthenticated", "Please sign in.", http.Header{"Www-Authenticate": {"Bearer"}}},
		} {
			t.Run(test.name, func(t *testing.T) {
				for _, f := range frameworks {
					a := f.serve(t, quiet(), test.work)(t)
					require.NotContains(t, a.wire, canary, f.name)
					require.Equal(t, test.detail, a.detail, f.name)
					require.Equal(t, test.code, a.code, f.name)
					if a.isRPC() {
						require.Equal(t, test.rpc, codes.Code(a.rpc), f.name)
						if f.name != "grpc unary" && f.name != "grpc stream" { // RetryInfo alone
							require.Equal(t, test.header.Get("Retry-After"), a.header.Get("Retry-After"), f.name)
						}
						continue
					}
					require.Equal(t, test.status, a.status, f.name)
					if f.name == "echo v5" { // which asks for no header and no media type
						require.Equal(t, "application/json", a.header.Get("Content-Type"), f.name)
						continue
					}
					require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), f.name)
					for name := range test.header {
						if f.name == "echo v4" && name == "Www-Authenticate" {
							continue // as Catalog.Handler does, it leaves the challenge to whoever knows it
						}
						require.Equal(t, test.header.Get(name), a.header.Get(name), f.name)
					}
				}
			})
		}
	})
}

func TestFieldsAreOnTheWire(t *testing.T) {
	t.Parallel()
	one := fails(errs.New(errs.Invalid, errs.Code("bad"), errs.Field("/user/emails/0/a~1b")))
	two := fails(errs.New(errs.Invalid, errs.Fields(
		errs.FieldError{Pointer: "/user/emails/0/a~1b", Code: "bad"}, errs.FieldError{Pointer: "/age", Code: "too_young", Detail: "Too young."})))
	for _, f := range frameworks {
		a := f.serve(t, quiet(), one)(t)
		if a.isRPC() {
			a = f.serve(t, quiet(), two)(t)
			require.Contains(t, a.wire, `"field":"user.emails[0].a/b"`, f.name)
			require.Contains(t, a.wire, `"reason":"BAD"`, f.name)
			require.Contains(t, a.wire, `"field":"age","description":"Too young.","reason":"TOO_YOUNG"`, f.name)
			continue
		}
		require.Contains(t, a.wire, `"pointer":"/user/emails/0/a~1b"`, f.name)
	}
}

func TestRPCSaysWhenToRetry(t *testing.T) {
	t.Parallel()
	w := fails(errs.New(errs.TooManyRequests, errs.RetryAfter(7*time.Second)))
	for _, f := range frameworks {
		if a := f.serve(t, quiet(), w)(t); a.isRPC() {
			require.Contains(t, a.wire, `"retry_delay":{"seconds":7}`, f.name)
		}
	}
}

// An error of the framework's own type keeps its code, but its text is often another
// error's.
func TestOwnErrorsKeepTheirCodeAndLoseTheirText(t *testing.T) {
	t.Parallel()
	leak := errors.New(canary)
	taken := errs.New(errs.AlreadyExists, errs.Code("taken"), errs.Message("Taken."), errs.Cause(leak))
	inside := func(own error) error { return errs.New(errs.Stale, errs.Cause(own)) }
	for _, test := range []struct {
		framework string
		err       error
		code      int
		detail    string
	}{
		{"connect unary", connect.NewError(connect.CodeOutOfRange, leak), int(connect.CodeOutOfRange), "out_of_range"},
		{"connect unary", connect.NewError(connect.CodeOutOfRange, pgx.ErrNoRows), int(connect.CodeOutOfRange), "Not found."},
		{"connect unary", connect.NewError(connect.CodeOutOfRange, taken), int(connect.CodeOutOfRange), "Taken."},
		{"connect unary", inside(connect.NewError(connect.CodeOutOfRange, leak)), int(connect.CodeAborted), errs.Stale.Error()},
		{"connect stream", connect.NewError(connect.CodeOutOfRange, leak), int(connect.CodeOutOfRange), "out_of_range"},
		{"connect by gRPC", connect.NewError(connect.CodeOutOfRange, leak), int(connect.CodeOutOfRange), "out_of_range"},
		{"grpc unary", status.Error(codes.OutOfRange, canary), int(codes.OutOfRange), "OutOfRange"},
		{"grpc unary", errors.Join(taken, status.Error(codes.OutOfRange, canary)), int(codes.OutOfRange), "Taken."},
		{"grpc unary", inside(status.Error(codes.OutOfRange, canary)), int(codes.Aborted), errs.Stale.Error()},
		{"grpc stream", status.Error(codes.OutOfRange, canary), int(codes.OutOfRange), "OutOfRange"},
		{"echo v4", echo.NewHTTPError(422, leak), 422, errs.Invalid.Error()},
		{"echo v4", echo.NewHTTPError(404, canary).SetInternal(pgx.ErrNoRows), 404, "Not found."},
		{"echo v4", echo.NewHTTPError(409, canary).SetInternal(taken), 409, "Taken."},
		{"echo v4", echo.NewHTTPError(418, canary), 418, ""},
		{"echo v4", inside(echo.NewHTTPError(404, canary)), 412, errs.Stale.Error()},
		{"goa", goa.NewServiceError(leak, "not_found", false, false, false), 404, ""},
		{"goa", goa.NewServiceError(leak, "invalid_format", false, false, false), 400, ""},
		{"goa", goa.TemporaryError("not_ready", canary), 503, ""},
		{"goa", inside(goa.NewServiceError(leak, "late", true, false, false)), 412, errs.Stale.Error()},
	} {
		for _, f := range frameworks {
			if f.name != test.framework {
				continue
			}
			a := f.serve(t, quiet(), fails(test.err))(t)
			require.NotContains(t, a.wire, canary, "%s: %v", f.name, test.err)
			require.Equal(t, test.code, a.status+int(a.rpc), "%s: %v", f.name, test.err)
			require.Equal(t, test.detail, a.detail, "%s: %v", f.name, test.err)
		}
	}
}

// Requests that goa itself refuses never reach an endpoint.
func TestGoaSaysWhatIsWrongWithARequest(t *testing.T) {
	t.Parallel()
	serve := serveGoaDecode(t, goa.MissingFieldError("name", "body"))
	a := serve(t)
	require.Equal(t, 400, a.status)
	require.Contains(t, a.wire, `\"name\" is missing from body`)
	a = serveGoaDecode(t, errors.New(canary))(t)
	require.Equal(t, 500, a.status)
	require.NotContains(t, a.wire, canary)
}

// Success passes through, and a nil catalog has the defaults.
func TestAdaptersWithoutCatalog(t *testing.T) {
	t.Parallel()
	for _, f := range frameworks {
		a := f.serve(t, nil, fails(errs.NotFound))(t)
		if a.isRPC() {
			require.Equal(t, codes.NotFound, codes.Code(a.rpc), f.name)
		} else {
			require.Equal(t, http.StatusNotFound, a.status, f.name)
		}
	}
}

// Interceptors outside of ours log the cause.
func TestCauseStaysForLogs(t *testing.T) {
	t.Parallel()
	cause := errors.New("for logs")
	seen := make(chan error, 1)
	look := func(err error) {
		var e *errs.Error
		if !errors.As(err, &e) || !errors.Is(err, cause) {
			err = errors.New("the cause is lost: " + strconv.Quote(err.Error()))
		} else {
			err = nil
		}
		seen <- err
	}

	for _, err := range []error{cause, connect.NewError(connect.CodeOutOfRange, cause)} {
		srv := connectServer(t, fails(err), connect.WithInterceptors(
			connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
				return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
					resp, err := next(ctx, r)
					look(err)
					return resp, err
				}
			}), connectrpc.Interceptor(nil)))
		r, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL+procedure, http.NoBody)
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/proto")
		_, wire := get(t, srv, r)
		require.NoError(t, <-seen)
		require.NotContains(t, wire, "for logs")
	}

	a := grpcUnary(t, fails(cause), grpc.ChainUnaryInterceptor(
		func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			resp, err := next(ctx, req)
			look(err)
			return resp, err
		}, grpcserver.Unary(nil)))(t)
	require.NoError(t, <-seen)
	require.NotContains(t, a.wire, "for logs")
}

// Without the adapters some frameworks leak errors.
func TestFrameworksAloneLeak(t *testing.T) {
	t.Parallel()
	leak := errors.New(canary)
	require.Contains(t, humaThat(t, fails(leak))(t).wire, canary)
	require.NotContains(t, echoV5That(t, fails(leak))(t).wire, canary)
	require.NotContains(t, echoV4That(t, nil, fails(leak))(t).wire, canary)
	require.Contains(t, echoV4That(t, nil, fails(echo.NewHTTPError(422, leak)))(t).wire, canary)
	require.Contains(t, goaThat(t, nil, nil, nil, fails(leak))(t).wire, canary)
	require.Contains(t, grpcUnary(t, fails(leak))(t).wire, canary)

	srv := connectServer(t, fails(leak))
	r, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL+procedure, http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/proto")
	_, wire := get(t, srv, r)
	require.Contains(t, wire, canary)
}
