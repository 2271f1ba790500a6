package wire

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func requests(t *testing.T, n int, url, body string) []*http.Request {
	t.Helper()
	list := make([]*http.Request, n)
	for i := range list {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
		require.NoError(t, err)
		list[i] = r
	}
	return list
}

func dialer(addr string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", addr) }
}

// No handler ends before all have begun, so all requests are in the service at once.
func TestRaceSendsAllAtOnce(t *testing.T) {
	t.Parallel()
	const n = 20
	var all sync.WaitGroup
	all.Add(n)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != `{"a": 1}` {
			w.WriteHeader(400)
		}
		all.Done()
		all.Wait()
		_, _ = io.WriteString(w, "done")
	}))
	defer srv.Close()
	responses, err := Race(t.Context(), dialer(srv.Listener.Addr().String()), requests(t, n, srv.URL, `{"a": 1}`))
	require.NoError(t, err)
	require.Len(t, responses, n)
	for _, r := range responses {
		require.NotNil(t, r)
		require.Equal(t, 200, r.StatusCode)
		text, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Equal(t, "done", string(text))
	}
}

// The last byte is held back until every connection is open.
func TestRaceHoldsBackTheLastByte(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	opened, early := 0, false
	const n = 5
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		early = early || opened < n
	}))
	defer srv.Close()
	dial := dialer(srv.Listener.Addr().String())
	_, err := Race(t.Context(), func(ctx context.Context) (net.Conn, error) {
		mu.Lock()
		opened++
		mu.Unlock()
		return dial(ctx)
	}, requests(t, n, srv.URL, "body"))
	require.NoError(t, err)
	require.False(t, early)
}

func TestRaceEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{}, 2)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		begun <- struct{}{}
		<-r.Context().Done()
	}))
	defer srv.Close()
	go func() { <-begun; cancel() }()
	responses, err := Race(ctx, dialer(srv.Listener.Addr().String()), requests(t, 2, srv.URL, "x"))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []*http.Response{nil, nil}, responses)
}
