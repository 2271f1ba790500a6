package probe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A dialect is how a framework writes and answers what the shop does.
type dialect struct {
	spec      string
	etag      func(wallet, []byte) string // or nil
	ifMatch   bool
	show      func(wallet) body
	list      func([]body) any
	refuse    func(w http.ResponseWriter, status int)
	location  bool
	createdAs int
}

func refuseNest(w http.ResponseWriter, status int) {
	answer(w, status, body{"statusCode": status, "message": http.StatusText(status)})
}

func refuseProblem(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"title": %q, "status": %d}`, http.StatusText(status), status)
}

var dialects = map[string]dialect{
	// Express gives every answer a weak ETag, which says nothing about If-Match. The
	// document has no schemas of responses.
	"nestjs": {
		spec:      "testdata/nestjs.json",
		etag:      func(_ wallet, text []byte) string { return fmt.Sprintf(`W/"%x"`, sha256.Sum256(text)) },
		show:      func(x wallet) body { return body{"id": x.id, "ownerId": x.owner, "name": x.name, "balance": x.balance} },
		list:      func(all []body) any { return all },
		refuse:    refuseNest,
		createdAs: 201,
	},
	// Pages with content, media type */*, text ids.
	"springdoc": {
		spec: "testdata/springdoc.json",
		show: func(x wallet) body {
			return body{"id": x.id, "name": x.name, "balance": x.balance, "createdAt": x.created}
		},
		list: func(all []body) any { return body{"content": all, "totalElements": len(all), "number": 0} },
		refuse: func(w http.ResponseWriter, status int) {
			answer(w, status, body{"status": status, "error": "Refused", "path": "/api"})
		},
		createdAs: 200,
	},
	// Closed schemas, a $schema member, problems, strong ETags with If-Match.
	"huma": {
		spec: "testdata/huma.json",
		etag: func(x wallet, text []byte) string {
			sum := sha256.Sum256(text)
			return `"` + hex.EncodeToString(sum[:6]) + `"`
		},
		ifMatch:   true,
		show:      func(x wallet) body { return body{"id": x.id, "name": x.name, "balance": x.balance} },
		list:      func(all []body) any { return body{"$schema": "http://localhost/schemas/List.json", "wallets": all} },
		refuse:    refuseProblem,
		location:  true,
		createdAs: 201,
	},
}

// service is the shop in a dialect.
func service(s *shop, d dialect) http.Handler {
	mux := http.NewServeMux()
	private := func(f func(w http.ResponseWriter, r *http.Request, me int)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			me := s.caller(r)
			if me == 0 {
				d.refuse(w, 401)
				return
			}
			f(w, r, me)
		}
	}
	show := func(w http.ResponseWriter, status int, x wallet) {
		v := d.show(x)
		if s.leaks {
			v["passwordHash"] = "$2b$10$abcdefghijklmnopqrstuv"
		}
		text, _ := json.Marshal(v)
		if d.etag != nil {
			w.Header().Set("ETag", d.etag(x, text))
		}
		answer(w, status, v)
	}
	name := func(w http.ResponseWriter, r *http.Request) (string, bool) {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		var b struct{ Name string }
		if err != nil || json.Unmarshal(text, &b) != nil || !printable(b.Name) {
			if s.crashes && err == nil && strings.Contains(string(text), `\u0000`) {
				d.refuse(w, 500)
				return "", false
			}
			d.refuse(w, 400)
			return "", false
		}
		return b.Name, true
	}
	mux.HandleFunc("POST /api/wallets", private(func(w http.ResponseWriter, r *http.Request, me int) {
		if n, ok := name(w, r); ok {
			x := s.create(me, n)
			if d.location {
				w.Header().Set("Location", "/api/wallets/"+strconv.Itoa(x.id))
			}
			show(w, d.createdAs, x)
		}
	}))
	mux.HandleFunc("GET /api/wallets", private(func(w http.ResponseWriter, r *http.Request, me int) {
		list := []body{}
		for _, x := range s.list(me) {
			list = append(list, d.show(x))
		}
		answer(w, 200, d.list(list))
	}))
	mux.HandleFunc("GET /api/wallets/{id}", private(func(w http.ResponseWriter, r *http.Request, me int) {
		if x, ok := s.find(me, r.PathValue("id")); ok {
			show(w, 200, x)
			return
		}
		d.refuse(w, 404)
	}))
	mux.HandleFunc("PUT /api/wallets/{id}", private(func(w http.ResponseWriter, r *http.Request, me int) {
		x, ok := s.find(me, r.PathValue("id"))
		if !ok {
			d.refuse(w, 404)
			return
		}
		n, ok := name(w, r)
		if !ok {
			return
		}
		text, _ := json.Marshal(d.show(x))
		if tag := r.Header.Get("If-Match"); d.ifMatch && tag != "" && tag != d.etag(x, text) {
			d.refuse(w, 412)
			return
		}
		if x, ok = s.rename(me, r.PathValue("id"), n); ok {
			show(w, 200, x)
			return
		}
		d.refuse(w, 404)
	}))
	mux.HandleFunc("DELETE /api/wallets/{id}", private(func(w http.ResponseWriter, r *http.Request, me int) {
		if s.drop(me, r.PathValue("id")) {
			w.WriteHeader(204)
			return
		}
		d.refuse(w, 404)
	}))
	mux.HandleFunc("POST /api/wallets/{id}/deposits", private(func(w http.ResponseWriter, r *http.Request, me int) {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		var b struct{ Amount int32 }
		if err != nil || json.Unmarshal(text, &b) != nil || b.Amount < 1 {
			d.refuse(w, 400)
			return
		}
		if x, ok := s.add(me, r.PathValue("id"), int(b.Amount)); ok {
			show(w, 200, x)
			return
		}
		d.refuse(w, 404)
	}))
	return mux
}

func TestDialects(t *testing.T) {
	t.Parallel()
	for name, d := range dialects {
		for _, tc := range []struct {
			name  string
			fault func(*shop)
			rule  string
		}{
			{"correct", func(*shop) {}, ""},
			{"reads all", func(s *shop) { s.readsAll = true }, "RKP02"},
			{"racy", func(s *shop) { s.racy = true }, "RKP12"},
			{"shows a hash", func(s *shop) { s.leaks = true }, "RKP08"},
			{"crashes", func(s *shop) { s.crashes = true }, "RKP09"},
		} {
			t.Run(name+"/"+tc.name, func(t *testing.T) {
				t.Parallel()
				s := newShop()
				tc.fault(s)
				findings, coverage := probed(t, service(s, d), d.spec, bearers(s))
				require.EqualValues(t, 1, coverage.Reached(), "%+v", coverage.Subjects)
				found := rules(findings)
				if tc.rule == "" {
					require.Empty(t, found)
					require.Empty(t, s.list(1), "what was made is deleted")
					return
				}
				require.Contains(t, found, tc.rule)
				require.Len(t, found, 1, "%v", found)
			})
		}
	}
}
