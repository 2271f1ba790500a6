package probe

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

func TestRulesAreComplete(t *testing.T) {
	t.Parallel()
	rules := Rules()
	require.Len(t, rules, 18)
	for _, r := range rules {
		require.NotEmpty(t, r.Silent, r.ID)
		require.NotEmpty(t, r.Bad, r.ID)
		require.NotEmpty(t, r.Good, r.ID)
	}
}

func TestReadOnlyOnlyReads(t *testing.T) {
	t.Parallel()
	s := newShop()
	as := bearers(s)
	s.create(1, "rather private thing")
	s.create(2, "another private thing")
	s.readsAll = true
	h := service(s, dialects["springdoc"])
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s was sent", r.Method, r.URL)
		}
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()
	findings, coverage, err := Run(t.Context(), Options{Probe: config.Probe{Spec: "testdata/springdoc.json", URL: srv.URL, Principals: as}, ReadOnly: true})
	require.NoError(t, err)
	require.EqualValues(t, 1, coverage.Reached(), "%+v", coverage.Subjects)
	require.Contains(t, rules(findings), "RKP02", "an object that only one of them lists")
	require.Equal(t, "it needs writes", coverage.Rules["RKP12"])
}

func TestRunRefusesAnotherMachine(t *testing.T) {
	t.Parallel()
	as := bearers(newShop())
	_, _, err := Run(t.Context(), Options{Probe: config.Probe{Spec: "testdata/nestjs.json", URL: "http://192.0.2.1:9", Principals: as, Limits: config.Limits{Time: time.Minute}}})
	require.ErrorContains(t, err, "not on this machine")
}

func TestRunSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	as := bearers(newShop())
	for want, p := range map[string]config.Probe{
		"probe.spec":     {URL: "http://localhost:1", Principals: as},
		"probe.url":      {Spec: "x", Principals: as},
		"two are needed": {Spec: "x", URL: "http://localhost:1"},
		"is negative":    {Spec: "x", URL: "http://localhost:1", Principals: as, Limits: config.Limits{Requests: -1}},
		"like http://":   {Spec: "x", URL: "ftp://localhost", Principals: as},
		"no such file":   {Spec: "nowhere.json", URL: "http://localhost:1", Principals: as},
	} {
		_, _, err := Run(t.Context(), Options{Probe: p})
		require.ErrorContains(t, err, want)
	}
}

func TestRefusedCredentialsAreAnError(t *testing.T) {
	t.Parallel()
	s := newShop()
	srv := httptest.NewServer(service(s, dialects["nestjs"]))
	defer srv.Close()
	as := map[string]config.Credential{}
	for _, name := range []string{"ann", "ben"} {
		as[name] = config.Credential{Header: map[string]string{"Authorization": "Bearer guessed-by-nobody"}}
	}
	_, coverage, err := Run(t.Context(), Options{Probe: config.Probe{Spec: "testdata/nestjs.json", URL: srv.URL, Principals: as}})
	require.ErrorContains(t, err, "refused")
	require.Zero(t, coverage.Reached())
}

func TestRedirectsToAnotherHostAreNotFollowed(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	visited := 0
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		visited++
	}))
	defer foreign.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, foreign.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer srv.Close()
	_, _, err := Run(t.Context(), Options{Probe: config.Probe{Spec: "testdata/nestjs.json", URL: srv.URL, Principals: bearers(newShop())}})
	require.Error(t, err)
	mu.Lock()
	defer mu.Unlock()
	require.Zero(t, visited)
}

func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	s := newShop()
	as := bearers(s)
	h := service(s, dialects["huma"])
	var mu sync.Mutex
	sent := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		sent++
		mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()
	findings, coverage, err := Run(t.Context(), Options{Probe: config.Probe{
		Spec: "testdata/huma.json", URL: srv.URL, Principals: as, Limits: config.Limits{Requests: 150, Time: 10 * time.Minute},
	}})
	require.NoError(t, err)
	require.Empty(t, rules(findings))
	require.LessOrEqual(t, sent, 150)
	require.Equal(t, "the limit of requests is reached", coverage.Rules["RKP15"])
	require.Empty(t, coverage.Rules["RKP02"])
	require.Empty(t, s.list(1), "requests for cleaning up were kept back")
}

func TestEvidenceHasNoSecrets(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.readsAll, s.leaks, s.racy = true, true, true
	as := bearers(s)
	findings, _ := probed(t, service(s, dialects["nestjs"]), "testdata/nestjs.json", as)
	require.NotEmpty(t, findings)
	for _, f := range findings {
		for _, e := range f.Evidence {
			require.NotContains(t, e.Text, "$2b$10$")
			for token := range s.users {
				require.NotContains(t, e.Text, token)
			}
		}
	}
}

func TestFindingsHaveAPlaceInTheDocument(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.readsAll = true
	findings, _ := probed(t, service(s, dialects["nestjs"]), "testdata/nestjs.json", bearers(s))
	text, err := os.ReadFile("testdata/nestjs.json")
	require.NoError(t, err)
	for _, f := range findings {
		if f.Rule != "RKP02" {
			continue
		}
		require.Equal(t, "testdata/nestjs.json", filepath.ToSlash(f.Place.File))
		line := strings.Split(string(text), "\n")[f.Place.Line-1]
		require.Contains(t, line, `"get"`)
		require.Equal(t, finding.Proved, f.Confidence)
		require.Equal(t, "GET /api/wallets/{id}", f.Place.Object)
		return
	}
	t.Fatal("no finding")
}
