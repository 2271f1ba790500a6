package probe

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
)

// fastAPI looks like a service of FastAPI: an OAuth2 password form, integer ids,
// everything in query parameters, responses without schema and without Location.
func fastAPI(s *shop) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/fastapi.json") })
	mux.HandleFunc("POST /register", func(w http.ResponseWriter, r *http.Request) {
		name := r.FormValue("username")
		if name == "" {
			answer(w, 422, body{"detail": []any{}})
			return
		}
		s.secrets[name] = s.user()
		answer(w, 200, nil)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		token, ok := s.secrets[r.FormValue("username")]
		if !ok || r.FormValue("password") != "correct horse" {
			answer(w, 401, body{"detail": "Incorrect username or password"})
			return
		}
		answer(w, 200, body{"access_token": token, "token_type": "bearer"})
	})
	private := func(f func(w http.ResponseWriter, r *http.Request, me int)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			me := s.caller(r)
			if me == 0 && !s.open {
				answer(w, 401, body{"detail": "Not authenticated"})
				return
			}
			f(w, r, max(me, 1))
		}
	}
	show := func(x wallet) body {
		return body{"wallet_id": x.id, "label": x.name, "balance": x.balance, "created": x.created}
	}
	mux.HandleFunc("GET /wallets", private(func(w http.ResponseWriter, r *http.Request, me int) {
		list := []body{}
		for _, x := range s.list(me) {
			list = append(list, show(x))
		}
		answer(w, 200, list)
	}))
	mux.HandleFunc("POST /wallets", private(func(w http.ResponseWriter, r *http.Request, me int) {
		if !printable(r.URL.Query().Get("label")) {
			answer(w, 422, body{"detail": []any{}})
			return
		}
		answer(w, 200, show(s.create(me, r.URL.Query().Get("label"))))
	}))
	mux.HandleFunc("GET /wallet", private(func(w http.ResponseWriter, r *http.Request, me int) {
		x, ok := s.find(me, r.URL.Query().Get("wallet_id"))
		if !ok {
			answer(w, 404, body{"detail": "Not found"})
			return
		}
		answer(w, 200, show(x))
	}))
	move := func(sign int) http.HandlerFunc {
		return private(func(w http.ResponseWriter, r *http.Request, me int) {
			amount, err := strconv.Atoi(r.URL.Query().Get("amount"))
			if err != nil || amount < 1 || amount > 1e9 {
				answer(w, 422, body{"detail": []any{}})
				return
			}
			x, ok := s.add(me, r.URL.Query().Get("wallet_id"), sign*amount)
			if !ok {
				answer(w, 400, body{"detail": "Refused"})
				return
			}
			answer(w, 200, body{"balance": x.balance})
		})
	}
	mux.HandleFunc("POST /deposit", move(1))
	mux.HandleFunc("POST /withdraw", move(-1))
	return mux
}

func fastAPIUsers() map[string]config.Credential {
	as := map[string]config.Credential{}
	for _, name := range []string{"ann", "ben"} {
		form := map[string]string{"username": name, "password": "correct horse"}
		as[name] = config.Credential{
			Register: &config.Login{Operation: "POST /register", Form: form},
			Login:    &config.Login{Operation: "POST /token", Form: form},
		}
	}
	return as
}

func TestFastAPI(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault func(*shop)
		rules []string
	}{
		{"correct", func(*shop) {}, nil},
		{"reads all", func(s *shop) { s.readsAll = true }, []string{"RKP02"}},
		{"lists all", func(s *shop) { s.listsAll = true }, []string{"RKP05"}},
		{"racy", func(s *shop) { s.racy = true }, []string{"RKP12", "RKP13"}},
		{"open", func(s *shop) { s.open = true }, []string{"RKP01"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			tc.fault(s)
			findings, coverage := probed(t, fastAPI(s), "/openapi.json", fastAPIUsers())
			require.EqualValues(t, 1, coverage.Reached(), "%+v", coverage.Subjects)
			found := rules(findings)
			require.Len(t, found, len(tc.rules), "%v", found)
			for _, id := range tc.rules {
				require.Contains(t, found, id)
			}
		})
	}
}
