package probe

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// confidences returns how sure the findings are, by rule.
func confidences(findings []finding.Finding) map[string]finding.Confidence {
	all := map[string]finding.Confidence{}
	for _, f := range findings {
		all[f.Rule] = max(all[f.Rule], f.Confidence)
	}
	return all
}

func TestWhatAllListAndReadIsOnlySuspected(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.readsAll, s.listsAll = true, true
	findings, _ := probed(t, service(s, dialects["nestjs"]), dialects["nestjs"].spec, bearers(s))
	require.Equal(t, map[string]finding.Confidence{"RKP02": finding.Suspected, "RKP05": finding.Suspected}, confidences(findings))
}

func TestSharedPathsAreNotFindings(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.readsAll = true
	d := dialects["nestjs"]
	findings, _ := probedWith(t, service(s, d), Options{Probe: config.Probe{Spec: d.spec, Principals: bearers(s), Shared: []string{"/api/wallets/{id}"}}})
	require.Empty(t, confidences(findings))
}

// One principal may read everything: an administrator.
func TestWhatOnlyOneCanReadIsOnlySuspected(t *testing.T) {
	t.Parallel()
	s := newShop()
	as := bearers(s)
	admin := as["ann"].Header["Authorization"]
	d := dialects["nestjs"]
	plain := service(s, d)
	powerful := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.Header.Get("Authorization") == admin && strings.Count(r.URL.Path, "/") == 3 {
			for _, me := range []int{1, 2} {
				if x, ok := s.find(me, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]); ok {
					answer(w, 200, d.show(x))
					return
				}
			}
		}
		plain.ServeHTTP(w, r)
	})
	findings, _ := probed(t, powerful, d.spec, as)
	require.Equal(t, map[string]finding.Confidence{"RKP02": finding.Suspected}, confidences(findings))
}

// Credentials that run out are got again, from a command or by logging in.
func TestCredentialsAreRefreshed(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.readsAll = true
	d := dialects["springdoc"]
	plain := service(s, d)
	script := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\necho \"Authorization: Bearer $1\"\n"), 0o755))
	as := bearers(s)
	for name, c := range as {
		as[name] = config.Credential{Exec: []string{script, strings.TrimPrefix(c.Header["Authorization"], "Bearer ")}}
	}
	var mu sync.Mutex
	seen, refused := 0, 0
	expiring := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen++
		expired := seen%50 == 0 // only the first try: the next one comes with a fresh credential
		if expired {
			refused++
		}
		mu.Unlock()
		if expired {
			d.refuse(w, 401)
			return
		}
		plain.ServeHTTP(w, r)
	})
	findings, coverage := probed(t, expiring, d.spec, as)
	require.Equal(t, map[string]finding.Confidence{"RKP02": finding.Proved}, confidences(findings))
	require.EqualValues(t, 1, coverage.Reached(), "%+v", coverage.Subjects)
	require.Positive(t, refused)
}

func TestSpoiledCredentialsDiffer(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLW9mLTMyLWJ5dGVz", "Bearer abcdefgh", "plain-key-of-alice", "Basic YWxpY2U6c2VjcmV0"} {
		p := &principal{header: http.Header{"Authorization": {value}}}
		list := p.spoiled()
		require.Len(t, list, 4)
		require.Empty(t, list[0].header)
		for _, s := range list[1:] {
			require.NotEqual(t, value, s.header.Get("Authorization"), s.kind)
		}
		require.Equal(t, []string{value}, p.header["Authorization"], "the principal's own is untouched")
	}
}
