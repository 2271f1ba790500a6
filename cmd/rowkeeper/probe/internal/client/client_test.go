package client

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func open(t *testing.T, h http.HandlerFunc, budget int) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := New(srv.URL, "", budget)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	c.Pause = func(time.Duration) error { return nil }
	return c
}

func TestDoWaitsForABusyService(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) < 3 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(503)
		}
	}, 100)
	var waited []time.Duration
	c.Pause = func(d time.Duration) error { waited = append(waited, d); return nil }
	resp, err := c.Do(t.Context(), Request{Method: "GET", Target: "/"})
	require.NoError(t, err)
	require.Equal(t, 200, resp.Status)
	require.Equal(t, []time.Duration{time.Second, time.Second}, waited)
	require.Equal(t, 97, c.Left)
}

func TestDoFollowsRedirectsOnItsHost(t *testing.T) {
	t.Parallel()
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/things" {
			http.Redirect(w, r, "/things/", http.StatusTemporaryRedirect)
			return
		}
		_, _ = w.Write([]byte(r.Method + " " + r.URL.Path))
	}, 100)
	resp, err := c.Do(t.Context(), Request{Method: "POST", Target: "/things", Body: []byte("{}")})
	require.NoError(t, err)
	require.Equal(t, "POST /things/", string(resp.Body))
}

func TestBudget(t *testing.T) {
	t.Parallel()
	c := open(t, func(http.ResponseWriter, *http.Request) {}, 20)
	c.Keep = 10
	get := Request{Method: "GET", Target: "/"}
	for range 8 { // 20, less 2 for cleaning up and 10 that are kept
		_, err := c.Do(t.Context(), get)
		require.NoError(t, err)
	}
	_, err := c.Do(t.Context(), get)
	require.ErrorIs(t, err, ErrBudget)
	c.Keep = 0
	_, err = c.Race(t.Context(), make([]Request, 11))
	require.ErrorIs(t, err, ErrBudget)
	require.Equal(t, 12, c.Left)
}

func TestEvidenceIsClean(t *testing.T) {
	t.Parallel()
	c := open(t, func(http.ResponseWriter, *http.Request) {}, 1)
	c.Secret(`tok"en-123`)
	e := c.Evidence(
		Request{Who: "ann", Method: "POST", Target: "/x?key=tok%22en-123", Body: []byte(`{"a": "tok\"en-123", "password": "hunter22", "n": "` + "\x00\xff" + `"}`)},
		&Response{Status: 200, Body: []byte(`{"api_key": "abcdef", "name": "x"}`)})
	require.Equal(t, "ann: POST /x?key=[secret] {\"a\": \"[secret]\", \"password\": \"[removed]\", \"n\": \" \uFFFD\"}\n200 {\"api_key\": \"[removed]\", \"name\": \"x\"}", e.Text)
}
