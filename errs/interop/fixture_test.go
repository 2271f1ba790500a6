package interop_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

var catalog = errs.NewCatalog(
	errs.Constraint("canary_email_key").Code("email_taken").Field("/user/emails/0").Message("This e-mail address is already registered."),
	errs.Constraint("canary_age_check").Code("too_young").Field("/age"),
	errs.Constraint("canary_parent_fk").Missing("unknown_parent", "/parent_id", "").InUse("has_children", "Others belong to this one."),
	errs.NotNull("canary_people", "canary_name").Code("name_required").Field("/name"),
)

// canary is in every name of the schema and every value that the tests write.
const canary = "canary"

const schema = `
	create table canary_people (
		id          int8 primary key,
		canary_name text not null,
		email       text,
		age         int8,
		parent      int8,
		constraint canary_email_key unique (email),
		constraint canary_age_check check (age > 17),
		constraint canary_parent_fk foreign key (parent) references canary_people (id)
	);
	insert into canary_people values (1, 'canary', 'canary@example.com', 18, null), (2, 'canary', null, 18, 1)`

// work is the work of a request, which returns its error.
type work func(ctx context.Context) error

// answer is the response that a client got.
type answer struct {
	status int    // of HTTP, or
	rpc    uint32 // of gRPC and Connect
	detail string // the public text
	code   string // for machines
	header http.Header
	wire   string // everything: headers, body, trailers, metadata
}

// framework is a server of that framework, whose one method does the work, with a
// client.
type framework struct {
	name  string
	serve func(t testing.TB, c *errs.Catalog, w work) func(t testing.TB) answer
}

var frameworks = []framework{
	{"huma", serveHuma},
	{"echo v5", serveEchoV5},
	{"echo v4", serveEchoV4},
	{"goa", serveGoa},
	{"connect unary", serveConnectUnary},
	{"connect stream", serveConnectStream},
	{"connect by gRPC", serveConnectGRPC},
	{"grpc unary", serveGRPCUnary},
	{"grpc stream", serveGRPCStream},
}

// rpc reports whether the framework answers with a gRPC code.
func (a answer) isRPC() bool { return a.rpc != 0 }

func listen(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true // which gRPC needs
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

// get sends a request and returns the response with its body in wire.
func get(t testing.TB, srv *httptest.Server, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := srv.Client().Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	wire, err := httputil.DumpResponse(resp, true)
	require.NoError(t, err)
	for name, values := range resp.Trailer {
		for _, v := range values {
			wire = append(wire, name+": "+v+"\n"...)
		}
	}
	return resp, string(wire)
}

// quiet is the catalog, without its log.
func quiet() *errs.Catalog { return catalog.WithLogger(slog.New(slog.DiscardHandler)) }
