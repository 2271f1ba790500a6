package errs_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
)

// lines is a log that is safe for concurrent use.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// site is a real server.
type site struct {
	*httptest.Server
	handlers handlers
	running  sync.WaitGroup
	log      *lines
	std      *lines // what net/http itself has to say
}

// logged returns the log after all handlers have returned, for which a server of
// HTTP/2 does not wait.
func (s *site) logged() string {
	s.Close()
	s.running.Wait()
	return s.log.String()
}

type handlers map[string]func(w http.ResponseWriter, r *http.Request) error

// eachProtocol serves the handlers by path over HTTP/1.1 and HTTP/2.
func eachProtocol(t *testing.T, hs handlers, f func(t *testing.T, s *site)) {
	for _, version := range []int{1, 2} {
		t.Run("HTTP"+strconv.Itoa(version), func(t *testing.T) {
			t.Parallel()
			own := maps.Clone(hs)
			if own == nil {
				own = handlers{}
			}
			s := openSite(t, version, func(c *errs.Catalog) http.Handler {
				return c.Handler(func(w http.ResponseWriter, r *http.Request) error { return own[r.URL.Path](w, r) })
			})
			s.handlers = own
			f(t, s)
		})
	}
}

func openSite(t *testing.T, version int, handler func(c *errs.Catalog) http.Handler) *site {
	s := &site{log: &lines{}, std: &lines{}}
	c := shop.WithLogger(slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	h := handler(c)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.running.Add(1)
		defer s.running.Done()
		h.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(s.std, nil), slog.LevelError)
	if version == 2 {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// do returns the response, and whether a connection was reused for it.
func (s *site) do(t *testing.T, method, path, body string, header ...string) (resp *http.Response, got string, reused bool, err error) {
	t.Helper()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
	r, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if resp, err = s.Client().Do(r); err != nil {
		return nil, "", reused, err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	return resp, string(all), reused, err
}

func TestServerAnswersAPanicAndKeepsTheConnection(t *testing.T) {
	t.Parallel()
	eachProtocol(t, handlers{
		"/panic": func(http.ResponseWriter, *http.Request) error { panic("secret of the panic") },
		"/error": func(http.ResponseWriter, *http.Request) error { return errs.NotFound },
		"/ok":    func(w http.ResponseWriter, _ *http.Request) error { _, err := io.WriteString(w, "fine"); return err },
	}, func(t *testing.T, s *site) {
		resp, body, _, err := s.do(t, "POST", "/panic", "unread", "X-Request-Id", "a-1")
		require.NoError(t, err)
		require.Equal(t, 500, resp.StatusCode)
		require.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"))
		require.Equal(t, "a-1", resp.Header.Get("X-Request-Id"))
		require.NotContains(t, body, "secret")
		for _, path := range []string{"/error", "/ok"} {
			_, _, reused, err := s.do(t, "GET", path, "")
			require.NoError(t, err)
			require.True(t, reused, path)
		}
		log := s.logged()
		require.Contains(t, log, "handler panicked")
		require.Contains(t, log, "secret of the panic")
		require.Contains(t, log, "server_test.go", "the stack")
		require.Contains(t, log, "request_id=a-1")
		require.Empty(t, s.std.String())
	})
}

// Half a body must not look like a whole one.
func TestServerEndsAResponseThatCannotBeFinished(t *testing.T) {
	t.Parallel()
	begin := func(w http.ResponseWriter, flush bool) {
		_, _ = io.WriteString(w, `[{"id": 1}`)
		if flush {
			w.(http.Flusher).Flush()
		}
	}
	eachProtocol(t, handlers{
		"/error":         func(w http.ResponseWriter, _ *http.Request) error { begin(w, false); return errors.New("lost") },
		"/error/flushed": func(w http.ResponseWriter, _ *http.Request) error { begin(w, true); return errors.New("lost") },
		"/panic":         func(w http.ResponseWriter, _ *http.Request) error { begin(w, false); panic("lost") },
		"/panic/flushed": func(w http.ResponseWriter, _ *http.Request) error { begin(w, true); panic("lost") },
		"/panic/status": func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusBadRequest)
			panic("lost")
		},
		"/panic/copy": func(w http.ResponseWriter, _ *http.Request) error {
			_, err := io.Copy(w, io.MultiReader(strings.NewReader(strings.Repeat("x", 5000)), panicking{}))
			return err
		},
	}, func(t *testing.T, s *site) {
		for _, path := range []string{"/error", "/error/flushed", "/panic", "/panic/flushed", "/panic/status", "/panic/copy"} {
			_, body, _, err := s.do(t, "GET", path, "")
			require.Error(t, err, path)
			require.NotContains(t, body, "internal", path)
		}
		log := s.logged()
		require.Equal(t, 2, strings.Count(log, "request failed after its response had begun"))
		require.Equal(t, 4, strings.Count(log, "handler panicked after its response had begun"))
		require.Empty(t, s.std.String())
	})
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("lost") }

func TestServerLeavesAnErrorThatTheHandlerWrote(t *testing.T) {
	t.Parallel()
	eachProtocol(t, handlers{
		"/": func(w http.ResponseWriter, _ *http.Request) error {
			http.Error(w, "not like this", http.StatusBadRequest)
			return errors.New("as I said")
		},
	}, func(t *testing.T, s *site) {
		resp, body, _, err := s.do(t, "GET", "/", "")
		require.NoError(t, err)
		require.Equal(t, 400, resp.StatusCode)
		require.Equal(t, "not like this\n", body)
		require.Contains(t, s.logged(), "after its response had begun")
	})
}

func TestServerPassesErrAbortHandlerOn(t *testing.T) {
	t.Parallel()
	eachProtocol(t, handlers{
		"/": func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) },
	}, func(t *testing.T, s *site) {
		_, _, _, err := s.do(t, "POST", "/", "x")
		require.Error(t, err)
		require.Empty(t, s.logged())
		require.Empty(t, s.std.String())
	})
}

func TestServerAnswersHEADWithoutABody(t *testing.T) {
	t.Parallel()
	eachProtocol(t, handlers{
		"/": func(http.ResponseWriter, *http.Request) error { return errs.Contention },
	}, func(t *testing.T, s *site) {
		get, body, _, err := s.do(t, "GET", "/", "", "X-Request-Id", "h")
		require.NoError(t, err)
		resp, none, _, err := s.do(t, "HEAD", "/", "", "X-Request-Id", "h")
		require.NoError(t, err)
		require.Empty(t, none)
		require.Equal(t, get.StatusCode, resp.StatusCode)
		require.Equal(t, strconv.Itoa(len(body)), resp.Header.Get("Content-Length"))
		for _, name := range []string{"Content-Type", "Cache-Control", "Retry-After", "X-Request-Id"} {
			require.NotEmpty(t, resp.Header.Get(name), name)
			require.Equal(t, get.Header.Get(name), resp.Header.Get(name), name)
		}
		_, _, reused, err := s.do(t, "GET", "/", "")
		require.NoError(t, err)
		require.True(t, reused)
	})
}

func TestServerWritesNothingToAClientThatHasGone(t *testing.T) {
	t.Parallel()
	eachProtocol(t, nil, func(t *testing.T, s *site) {
		arrived := make(chan struct{})
		s.handlers["/"] = func(_ http.ResponseWriter, r *http.Request) error {
			close(arrived)
			<-r.Context().Done()
			return r.Context().Err()
		}
		ctx, leave := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/", nil)
		require.NoError(t, err)
		go func() { <-arrived; leave() }()
		_, err = s.Client().Do(r)
		require.ErrorIs(t, err, context.Canceled)
		log := s.logged()
		require.Contains(t, log, "level=INFO msg=\"client has gone\"")
		require.Contains(t, log, "error.status=499")
		require.Empty(t, s.std.String())
	})
}

func TestServerKeepsWhatAResponseWriterCanDo(t *testing.T) {
	t.Parallel()
	s := openSite(t, 1, func(c *errs.Catalog) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("/hints", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			c.Write(w, r, errs.NotFound)
		})
		mux.HandleFunc("/controller", func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			c.Write(w, r, errors.Join(rc.EnableFullDuplex(), rc.Flush()))
		})
		mux.HandleFunc("/copy", func(w http.ResponseWriter, r *http.Request) {
			f, err := os.Open("doc.go")
			if err == nil {
				_, err = w.(io.ReaderFrom).ReadFrom(f)
			}
			c.Write(w, r, err)
		})
		takeOver := func(w http.ResponseWriter) {
			conn, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = rw.WriteString("mine now\n")
			_ = rw.Flush()
			_ = conn.Close()
		}
		mux.HandleFunc("/hijack/panic", func(w http.ResponseWriter, r *http.Request) { takeOver(w); panic("too late") })
		mux.HandleFunc("/hijack/error", func(w http.ResponseWriter, r *http.Request) {
			takeOver(w)
			c.Write(w, r, errors.New("too late"))
		})
		wrapped := c.Middleware(mux)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if ends(wrapped, w, r) {
				t.Error(r.URL.Path, "ends a connection")
			}
		})
	})
	var hints []int
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error { hints = append(hints, code); return nil }})
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/hints", nil)
	require.NoError(t, err)
	resp, err := s.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 404, resp.StatusCode)
	require.Equal(t, []int{103}, hints)

	resp, body, _, err := s.do(t, "GET", "/controller", "")
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode, body)
	require.Equal(t, []string{"chunked"}, resp.TransferEncoding, "it was flushed")

	_, body, _, err = s.do(t, "GET", "/copy", "")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(body, "// Package errs"))

	for _, path := range []string{"/hijack/panic", "/hijack/error"} {
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		all, err := io.ReadAll(bufio.NewReader(conn))
		require.NoError(t, err)
		require.Equal(t, "mine now\n", string(all))
		require.NoError(t, conn.Close())
	}
	log := s.logged()
	require.Equal(t, 1, strings.Count(log, "handler panicked"))
	require.Equal(t, 1, strings.Count(log, "after its connection was taken over"))
	require.Empty(t, s.std.String())
}

// Over HTTP/2 no connection can be taken over, and handlers find out by the method.
func TestServerHasNoHijackerOverHTTP2(t *testing.T) {
	t.Parallel()
	for version, want := range map[int]string{1: "true", 2: "false"} {
		s := openSite(t, version, func(c *errs.Catalog) http.Handler {
			return c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, ok := w.(http.Hijacker)
				_, _ = io.WriteString(w, strconv.FormatBool(ok))
			}))
		})
		_, body, _, err := s.do(t, "GET", "/", "")
		require.NoError(t, err)
		require.Equal(t, want, body)
	}
}

func TestServerRemovesTheFilesOfAForm(t *testing.T) {
	t.Parallel()
	files := make(chan string, 1)
	s := openSite(t, 1, func(c *errs.Catalog) http.Handler {
		return c.Handler(func(w http.ResponseWriter, r *http.Request) error {
			if err := r.ParseMultipartForm(1); err != nil {
				return err
			}
			f, err := r.MultipartForm.File["f"][0].Open()
			if err != nil {
				return err
			}
			files <- f.(*os.File).Name()
			return f.Close()
		})
	})
	body := "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + strings.Repeat("x", 11<<20) + "\r\n--b--\r\n"
	resp, got, _, err := s.do(t, "POST", "/", body, "Content-Type", "multipart/form-data; boundary=b")
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode, got)
	s.Close()
	require.NoFileExists(t, <-files)
}
