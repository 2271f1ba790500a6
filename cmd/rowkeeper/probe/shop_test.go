package probe

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// shop keeps wallets in memory, for services that look like those of other frameworks.
// Each of its mistakes is off unless a test switches it on.
type shop struct {
	mu      sync.Mutex
	users   map[string]int // by token
	secrets map[string]string
	wallets map[int]*wallet
	next    int

	readsAll, listsAll, racy, open, leaks, crashes bool
}

type wallet struct {
	id, owner, balance int
	name               string
	created            time.Time
}

func newShop() *shop {
	return &shop{users: map[string]int{}, secrets: map[string]string{}, wallets: map[int]*wallet{}, next: 1}
}

// user adds a user and returns its token.
func (s *shop) user() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := rand.Text()
	s.users[token] = s.next
	s.next++
	return token
}

// caller returns the user of a request, or 0.
func (s *shop) caller(r *http.Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return s.users[token]
}

func (s *shop) create(owner int, name string) wallet {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &wallet{id: s.next, owner: owner, name: name, created: time.Now().UTC()}
	s.next++
	s.wallets[w.id] = w
	return *w
}

// find returns a wallet that the caller may see.
func (s *shop) find(me int, id string) (wallet, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := strconv.Atoi(id)
	w := s.wallets[n]
	if err != nil || w == nil || w.owner != me && !s.readsAll {
		return wallet{}, false
	}
	return *w, true
}

func (s *shop) list(me int) (all []wallet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.next {
		if w := s.wallets[id]; w != nil && (w.owner == me || s.listsAll) {
			all = append(all, *w)
		}
	}
	return all
}

// add changes a balance, unless it would be negative.
func (s *shop) add(me int, id string, amount int) (wallet, bool) {
	n, err := strconv.Atoi(id)
	if err != nil {
		return wallet{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.wallets[n]
	if w == nil || w.owner != me || w.balance+amount < 0 {
		return wallet{}, false
	}
	if s.racy { // read, let others run, write
		old := w.balance
		s.mu.Unlock()
		time.Sleep(time.Millisecond) // the database's time
		s.mu.Lock()
		w.balance = old + amount
		return *w, true
	}
	w.balance += amount
	return *w, true
}

func (s *shop) rename(me int, id, name string) (wallet, bool) {
	n, err := strconv.Atoi(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.wallets[n]
	if err != nil || w == nil || w.owner != me {
		return wallet{}, false
	}
	w.name = name
	return *w, true
}

func (s *shop) drop(me int, id string) bool {
	n, err := strconv.Atoi(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.wallets[n]
	if err != nil || w == nil || w.owner != me {
		return false
	}
	delete(s.wallets, n)
	return true
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone if this fails
}

// body is what a service answers.
type body = map[string]any

// printable reports whether a text can be stored.
func printable(s string) bool {
	return s != "" && len(s) <= 60 && !strings.ContainsRune(s, 0) && strings.ToValidUTF8(s, "") == s
}

// probed runs probe on a handler.
func probed(t *testing.T, h http.Handler, spec string, as map[string]config.Credential) ([]finding.Finding, *finding.Coverage) {
	t.Helper()
	return probedWith(t, h, Options{Probe: config.Probe{Spec: spec, Principals: as}})
}

func probedWith(t *testing.T, h http.Handler, opts Options) ([]finding.Finding, *finding.Coverage) {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	opts.Probe.URL = srv.URL
	opts.Probe.Limits.Time = 10 * time.Minute
	if strings.HasPrefix(opts.Probe.Spec, "/") {
		opts.Probe.Spec = srv.URL + opts.Probe.Spec
	}
	findings, coverage, err := Run(t.Context(), opts)
	require.NoError(t, err)
	return findings, coverage
}

func bearers(s *shop) map[string]config.Credential {
	as := map[string]config.Credential{}
	for _, name := range []string{"ann", "ben"} {
		as[name] = config.Credential{Header: map[string]string{"Authorization": "Bearer " + s.user()}}
	}
	return as
}

// rules returns the rules of the findings that are shown by default.
func rules(findings []finding.Finding) map[string]string {
	all := map[string]string{}
	for _, f := range findings {
		if f.Confidence >= finding.Strong {
			all[f.Rule] = f.Message
		}
	}
	return all
}
