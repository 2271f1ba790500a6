package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/idempotency"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

var errDeclined = errors.New("declined")

func userOf(r *http.Request) (string, error) { return r.Header.Get("User"), nil }

// pay writes a row and answers with bytes that no encoder would produce.
func pay(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return idempotency.Response{}, err
	}
	var id int
	if err := tx.QueryRow(ctx, "insert into payments (body) values ($1) returning (select count(*) from payments)::bigint", string(body)).Scan(&id); err != nil {
		return idempotency.Response{}, err
	}
	if string(body) == "decline" {
		return idempotency.Response{}, errDeclined
	}
	return idempotency.Response{
		Status: http.StatusCreated,
		Header: http.Header{
			"Content-Type": {"x/y"}, "location": {"/payments/" + r.Header.Get("Nonce")}, "Link": {"<a>", "<b>"},
			"Content-Disposition": {"attachment", "filename=\"ü \xff " + r.Header.Get("Nonce") + "\""},
		},
		Body: []byte("\x00\xff <" + r.Header.Get("Nonce") + "> \r\n"),
	}, nil
}

type service struct {
	*dbtest.DB
	http.Handler
}

func open(t *testing.T, db *dbtest.DB, f idempotency.Func, opts ...idempotency.Option) service {
	t.Helper()
	for _, sql := range []string{once.Schema, "create table payments (body text not null)"} {
		_, err := db.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	return service{db, errs.NewCatalog().Handler(idempotency.Handler(db.Pool, "payments", userOf, f, opts...))}
}

func (s service) do(t *testing.T, user, key, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/payments?x=1", strings.NewReader(body))
	r.Header.Set("User", user)
	if key != "" {
		r.Header.Set(idempotency.Header, key)
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	w.Header().Del("X-Request-Id") // which errs gives to each request, also of a replay
	return w
}

func nonce(n string) func(*http.Request) { return func(r *http.Request) { r.Header.Set("Nonce", n) } }

func (s service) payments(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, s.QueryRow(t.Context(), "select count(*) from payments").Scan(&n))
	return n
}

func TestReplayIsByteForByte(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := open(t, db, pay)
		first := s.do(t, "alice", `"k"`, "5", nonce("one"))
		require.Equal(t, 201, first.Code, first.Body)
		require.Equal(t, "/payments/one", first.Header().Get("Location"))
		for range 2 {
			again := s.do(t, "alice", `"k"`, "5", nonce("two"))
			require.Equal(t, first.Code, again.Code)
			require.Equal(t, "true", again.Header().Get(idempotency.ReplayedHeader))
			again.Header().Del(idempotency.ReplayedHeader)
			require.Equal(t, first.Header(), again.Header())
			require.Equal(t, first.Body.Bytes(), again.Body.Bytes())
		}
		require.Equal(t, 1, s.payments(t))
		require.Equal(t, "\x00\xff <one> \r\n", first.Body.String())
	})
}

// One user's key never yields another one's response.
func TestKeysAreTheOwners(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := open(t, db, pay)
		for i, user := range []string{"alice", "bob", "ali", "alice/x"} {
			require.Equal(t, "/payments/"+user, s.do(t, user, `"k"`, "5", nonce(user)).Header().Get("Location"))
			require.Equal(t, i+1, s.payments(t))
		}
		nobody := s.do(t, "", `"k"`, "5")
		require.Equal(t, 500, nobody.Code, "fail closed")
		require.Equal(t, 4, s.payments(t))
	})
}

func codeOf(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var p struct{ Code string }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p), w.Body)
	return p.Code
}

func TestAnotherRequestWithTheKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := open(t, db, pay)
		require.Equal(t, 201, s.do(t, "alice", `"k"`, "5").Code)
		for name, change := range map[string]func(*http.Request){
			"body":   func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("6")) },
			"path":   func(r *http.Request) { r.URL.Path = "/payments/" },
			"query":  func(r *http.Request) { r.URL.RawQuery = "x=2" },
			"bytes":  func(r *http.Request) { r.URL.RawQuery = "x=1&\xff" },
			"method": func(r *http.Request) { r.Method = "PATCH" },
		} {
			w := s.do(t, "alice", `"k"`, "5", change)
			require.Equal(t, 422, w.Code, name)
			require.Equal(t, "key_reused", codeOf(t, w))
			require.Contains(t, w.Body.String(), `"header":"Idempotency-Key"`)
			require.NotContains(t, w.Body.String(), "rowkeeper")
		}
		require.Equal(t, 1, s.payments(t))
	})
}

// Bodies that are not text are distinguished too.
func TestAnotherRequestOfBytes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := open(t, db, pay)
		query := func(q string) func(*http.Request) { return func(r *http.Request) { r.URL.RawQuery = q } }
		path := func(p string) func(*http.Request) { return func(r *http.Request) { r.URL.Path = p } }
		for _, same := range []string{"ü=\xff", "%C3%BC=\xff", "%C3%BC=%FF"} {
			require.Equal(t, 201, s.do(t, "alice", `"query"`, "5", query(same)).Code)
		}
		require.Equal(t, 422, s.do(t, "alice", `"query"`, "5", query("ü=\xfe")).Code)
		require.Equal(t, 201, s.do(t, "alice", `"path"`, "5", path("/\xff")).Code)
		require.Equal(t, 422, s.do(t, "alice", `"path"`, "5", path("/\xfe")).Code)
		require.Equal(t, 2, s.payments(t))
	})
}

func TestAnErrorLeavesTheKeyFree(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := open(t, db, pay)
		require.Equal(t, 500, s.do(t, "alice", `"k"`, "decline").Code)
		require.Zero(t, s.payments(t))
		require.Equal(t, 201, s.do(t, "alice", `"k"`, "5").Code)
	})
}

func TestKeysThatAreRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := open(t, db, pay)
		for _, key := range []string{"", " ", "a b", "a,b", "a;p", `a\b`, "ä", "a\tb", strings.Repeat("x", 256), `"k`, `k"`, `""`, `"a" "b"`, `"a";p=1`, `"a\b"`, `"a\`, "\"a\x01\"", `"ä"`, `"` + strings.Repeat("x", 256) + `"`} {
			w := s.do(t, "alice", key, "5")
			require.Equal(t, 400, w.Code, key)
			want := "invalid_idempotency_key"
			if key == "" {
				want = "missing_idempotency_key"
			}
			require.Equal(t, want, codeOf(t, w))
			require.Contains(t, w.Body.String(), `"header":"Idempotency-Key"`)
			require.Contains(t, w.Body.String(), `"detail":"The header Idempotency-Key `, key)
		}
		twice := s.do(t, "alice", `"a"`, "5", func(r *http.Request) { r.Header.Add(idempotency.Header, `"a"`) })
		require.Equal(t, 400, twice.Code)
		require.Zero(t, s.payments(t))
		require.Equal(t, 413, s.do(t, "alice", `"k"`, strings.Repeat("x", idempotency.MaxBody+1)).Code)
		for _, key := range []string{` "8e03978e-40d5-43dd-bc93-6894a57f9324" `, `"a \"b\" \\ ~"`, `"` + strings.Repeat("x", 255) + `"`} {
			require.Equal(t, 201, s.do(t, "alice", key, "5").Code, key)
		}
		got, err := idempotency.Key(http.Header{idempotency.Header: {`"a \"b\" \\ ~"`}})
		require.NoError(t, err)
		require.Equal(t, `a "b" \ ~`, got)
	})
}

// Most clients send a bare UUID.
func TestKeysWithoutQuotes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := open(t, db, pay)
		for i, key := range []string{"8e03978e-40d5-43dd-bc93-6894a57f9324", "?1", ":YQ==:", strings.Repeat("x", 255)} {
			first := s.do(t, "alice", key, "5")
			require.Equal(t, 201, first.Code, first.Body)
			require.Empty(t, first.Header().Get(idempotency.ReplayedHeader))
			quoted := s.do(t, "alice", `"`+key+`"`, "5")
			require.Equal(t, 201, quoted.Code, "the same key")
			require.Equal(t, "true", quoted.Header().Get(idempotency.ReplayedHeader))
			require.Equal(t, i+1, s.payments(t))
		}
	})
}

func TestOptional(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := open(t, db, pay, idempotency.Optional())
		for i := range 2 {
			require.Equal(t, 201, s.do(t, "alice", "", "5").Code)
			require.Equal(t, i+1, s.payments(t))
		}
		require.Equal(t, 400, s.do(t, "alice", "k k", "5").Code, "one that is there must be one")
	})
}

func TestInFlight(t *testing.T) {
	for _, wait := range []bool{false, true} {
		t.Run(fmt.Sprint("wait ", wait), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				entered, goOn := make(chan struct{}), make(chan struct{})
				var entries atomic.Int64
				var opts []idempotency.Option
				if wait {
					opts = append(opts, idempotency.Wait())
				}
				s := open(t, db, func(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error) {
					if entries.Add(1) == 1 {
						close(entered)
						<-goOn
					}
					return pay(ctx, tx, r)
				}, opts...)
				answers := make(chan *httptest.ResponseRecorder, 2)
				go func() { answers <- s.do(t, "alice", `"k"`, "5", nonce("one")) }()
				<-entered
				if wait {
					go func() { answers <- s.do(t, "alice", `"k"`, "5", nonce("two")) }()
				} else {
					w := s.do(t, "alice", `"k"`, "5")
					require.Equal(t, 409, w.Code)
					require.Equal(t, "in_flight", codeOf(t, w))
					require.Contains(t, w.Body.String(), `"header":"Idempotency-Key"`)
					require.Equal(t, "1", w.Header().Get("Retry-After"))
					answers <- s.do(t, "alice", `"other"`, "5", nonce("one"))
				}
				close(goOn)
				for range 2 {
					require.Equal(t, "/payments/one", (<-answers).Header().Get("Location"))
				}
			})
		})
	}
}

func TestResponsesThatCannotBe(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		var response idempotency.Response
		s := open(t, db, func(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error) {
			return response, nil
		})
		for _, response = range []idempotency.Response{{}, {Status: 101}, {Status: 600}, {Status: 204, Body: []byte("x")}, {Status: 200, Body: make([]byte, 200_000)}} {
			require.Equal(t, 500, s.do(t, "alice", `"k"`, "5").Code)
		}
		response = idempotency.Response{Status: 204}
		for range 2 {
			w := s.do(t, "alice", `"k"`, "5")
			require.Equal(t, 204, w.Code)
			w.Header().Del(idempotency.ReplayedHeader)
			require.Empty(t, w.Header())
		}
		_, err := idempotency.JSON(200, func() {})
		require.Error(t, err)
	})
}

func TestHandlerMisuse(t *testing.T) {
	t.Parallel()
	db := struct{ txn.DB }{}
	require.Panics(t, func() { idempotency.Handler(nil, "x", userOf, pay) })
	require.Panics(t, func() { idempotency.Handler(db, "", userOf, pay) })
	require.Panics(t, func() { idempotency.Handler(db, strings.Repeat("x", 101), userOf, pay) })
	require.Panics(t, func() { idempotency.Handler(db, "x", nil, pay) })
	require.Panics(t, func() { idempotency.Handler(db, "x", userOf, nil) })
}
