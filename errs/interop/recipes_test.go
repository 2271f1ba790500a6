package interop_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/compress"
	fiberrecover "github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/gorilla/handlers"
	"github.com/gorilla/mux"
	"github.com/jackc/pgx/v5/pgconn"
	echov4 "github.com/labstack/echo/v4"
	echov4middleware "github.com/labstack/echo/v4/middleware"
	"github.com/labstack/echo/v5"
	echomiddleware "github.com/labstack/echo/v5/middleware"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	adaptecho "github.com/rowkeeper/rowkeeper/errs/interop/echov4"
)

// The recipes below are services with routers and frameworks around net/http, and one
// with fiber, each with its own recovery and with compression. They all have the same
// order: compression outside, then Catalog.Middleware, then recovery, then the rest.
// Middleware ends the connection of half a body after everything inside has returned,
// so no recovery sees it.

var errTaken = fmt.Errorf("create: %w", &pgconn.PgError{Code: "23505", ConstraintName: "canary_email_key", Message: canary, Detail: canary})

// failing is the work of the handlers of all recipes.
func failing(w http.ResponseWriter, r *http.Request) error {
	switch r.URL.Path {
	case "/error":
		return errTaken
	case "/panic":
		panic(canary)
	case "/abort":
		panic(http.ErrAbortHandler)
	case "/half":
		_, _ = io.WriteString(w, `{"items": [1, 2,`)
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		return errTaken
	}
	_, err := io.WriteString(w, strings.Repeat("fine ", 1000))
	return err
}

var paths = []string{"/error", "/panic", "/abort", "/half", "/ok"}

func recipeNetHTTP(c *errs.Catalog) http.Handler {
	m := http.NewServeMux()
	for _, path := range paths {
		m.Handle("GET "+path, c.Handler(failing))
	}
	return handlers.CompressHandler(c.Middleware(m))
}

func recipeChi(c *errs.Catalog) http.Handler {
	r := chi.NewRouter()
	r.Use(chimiddleware.Compress(5, "application/json", "application/problem+json", "text/plain"))
	r.Use(c.Middleware) // instead of chi's Recoverer, which also passes http.ErrAbortHandler on
	r.NotFound(c.Handler(func(http.ResponseWriter, *http.Request) error { return errs.NotFound }).ServeHTTP)
	r.MethodNotAllowed(c.Handler(func(w http.ResponseWriter, req *http.Request) error {
		allow(w, func(method string) bool { return r.Match(chi.NewRouteContext(), method, req.URL.Path) })
		return errs.MethodNotAllowed
	}).ServeHTTP)
	for _, path := range paths {
		r.Method("GET", path, c.Handler(failing))
	}
	return r
}

// allow adds the allowed methods, which chi and gorilla know and do not report.
func allow(w http.ResponseWriter, has func(method string) bool) {
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		if has(method) {
			w.Header().Add("Allow", method)
		}
	}
}

func recipeGorilla(c *errs.Catalog) http.Handler {
	r := mux.NewRouter()
	r.NotFoundHandler = c.Handler(func(http.ResponseWriter, *http.Request) error { return errs.NotFound })
	r.MethodNotAllowedHandler = c.Handler(func(w http.ResponseWriter, req *http.Request) error {
		allow(w, func(method string) bool {
			probe := req.Clone(req.Context())
			probe.Method = method
			var match mux.RouteMatch
			return r.Match(probe, &match) && match.MatchErr == nil
		})
		return errs.MethodNotAllowed
	})
	for _, path := range paths {
		r.Handle(path, c.Handler(failing)).Methods("GET")
	}
	// No handlers.RecoveryHandler: it would take http.ErrAbortHandler for a panic like
	// any other, and log it. The handlers recover their own.
	return handlers.CompressHandler(c.Middleware(r))
}

func recipeGin(c *errs.Catalog) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New() // not gin.Default, whose recovery keeps http.ErrAbortHandler; Middleware recovers
	e.HandleMethodNotAllowed = true
	returning := func(f func(g *gin.Context) error) gin.HandlerFunc {
		return func(g *gin.Context) { c.Write(g.Writer, g.Request, f(g)) }
	}
	e.NoRoute(returning(func(*gin.Context) error { return errs.NotFound }))
	e.NoMethod(returning(func(*gin.Context) error { return errs.MethodNotAllowed })) // gin has set Allow
	for _, path := range paths {
		e.GET(path, returning(func(g *gin.Context) error { return failing(g.Writer, g.Request) }))
	}
	return handlers.CompressHandler(c.Middleware(e))
}

func recipeEchoV5(c *errs.Catalog) http.Handler {
	e := echo.New()
	e.Logger = slog.New(slog.DiscardHandler)
	e.Use(echomiddleware.Recover()) // which passes http.ErrAbortHandler on
	e.HTTPErrorHandler = func(ctx *echo.Context, err error) {
		var own interface{ StatusCode() int }
		if errors.As(err, &own) && own.StatusCode() == http.StatusNotFound {
			err = errs.NotFound
		} else if errors.As(err, &own) && own.StatusCode() == http.StatusMethodNotAllowed {
			err = errs.MethodNotAllowed // echo has set Allow
		}
		c.Write(ctx.Response(), ctx.Request(), err)
	}
	for _, path := range paths {
		e.GET(path, func(ctx *echo.Context) error { return failing(ctx.Response(), ctx.Request()) })
	}
	return handlers.CompressHandler(c.Middleware(e))
}

func recipeEchoV4(c *errs.Catalog) http.Handler {
	e := echov4.New()
	e.Logger.SetOutput(io.Discard)
	e.Use(echov4middleware.Recover())
	e.HTTPErrorHandler = adaptecho.ErrorHandler(c)
	for _, path := range paths {
		e.GET(path, func(ctx echov4.Context) error { return failing(ctx.Response(), ctx.Request()) })
	}
	return handlers.CompressHandler(c.Middleware(e))
}

// result is the response that a client got.
type result struct {
	status      int
	contentType string
	allow       string
	body        string
	err         error // of reading the body, or before
}

// ask sends a request that accepts gzip, as browsers do.
func ask(t *testing.T, client *http.Client, method, url string) result {
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := client.Do(r)
	if err != nil {
		return result{err: err}
	}
	defer resp.Body.Close()
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(resp.Body); err != nil {
			return result{err: err}
		}
	}
	all, err := io.ReadAll(body)
	if err == nil { // behind the end of what was compressed
		_, err = io.Copy(io.Discard, resp.Body)
	}
	return result{resp.StatusCode, resp.Header.Get("Content-Type"), strings.Join(resp.Header.Values("Allow"), ", "), string(all), err}
}

func (r result) isProblem(t *testing.T, status int, code string) {
	t.Helper()
	require.NoError(t, r.err)
	require.Equal(t, status, r.status)
	require.Equal(t, "application/problem+json", r.contentType)
	var body struct{ Code string }
	require.NoError(t, json.Unmarshal([]byte(r.body), &body), r.body)
	require.Equal(t, code, body.Code)
	require.NotContains(t, r.body, canary)
}

func TestRecipes(t *testing.T) {
	t.Parallel()
	for name, recipe := range map[string]func(*errs.Catalog) http.Handler{
		"net/http": recipeNetHTTP, "chi": recipeChi, "gorilla": recipeGorilla, "gin": recipeGin, "echo v5": recipeEchoV5, "echo v4": recipeEchoV4,
	} {
		for version := 1; version <= 2; version++ {
			t.Run(fmt.Sprintf("%s over HTTP/%d", name, version), func(t *testing.T) {
				srv := httptest.NewUnstartedServer(recipe(quiet()))
				srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
				srv.EnableHTTP2 = version == 2
				srv.StartTLS()
				t.Cleanup(srv.Close)
				get := func(path string) result { return ask(t, srv.Client(), "GET", srv.URL+path) }
				get("/error").isProblem(t, 409, "email_taken")
				get("/panic").isProblem(t, 500, "internal")
				get("/nothing").isProblem(t, 404, "not_found")
				wrong := ask(t, srv.Client(), "POST", srv.URL+"/ok")
				wrong.isProblem(t, 405, "method_not_allowed")
				require.Contains(t, wrong.allow, "GET")
				ok := get("/ok")
				require.NoError(t, ok.err)
				require.Equal(t, strings.Repeat("fine ", 1000), ok.body)
				require.Error(t, get("/half").err, "half a body does not look like a whole one")
				require.Error(t, get("/abort").err)
			})
		}
	}
}

// fiber has no http.ResponseWriter, and its adaptor for handlers of net/http lets
// http.ErrAbortHandler end the process: fiber's own error handler answers there. It
// buffers the output of handlers, so half a body is never sent.
func recipeFiber(c *errs.Catalog) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ErrorHandler: func(ctx *fiber.Ctx, err error) error {
			var own *fiber.Error
			if errors.As(err, &own) && own.Code == fiber.StatusNotFound {
				err = errs.NotFound
			} else if errors.As(err, &own) && own.Code == fiber.StatusMethodNotAllowed {
				err = errs.MethodNotAllowed // fiber has set Allow
			}
			var e *errs.Error
			errors.As(c.Translate(err), &e)
			if e.Status() >= http.StatusInternalServerError {
				slog.ErrorContext(ctx.UserContext(), "request failed", "error", e)
			}
			for name, values := range e.GetHeaders() {
				ctx.Set(name, values[0])
			}
			return ctx.Status(e.Status()).JSON(e, "application/problem+json")
		},
	})
	app.Use(compress.New(), fiberrecover.New())
	for path, f := range map[string]fiber.Handler{
		"/error": func(*fiber.Ctx) error { return errTaken },
		"/panic": func(*fiber.Ctx) error { panic(canary) },
		"/half":  func(ctx *fiber.Ctx) error { return errors.Join(ctx.SendString(`{"items": [1, 2,`), errTaken) },
		"/ok":    func(ctx *fiber.Ctx) error { return ctx.SendString(strings.Repeat("fine ", 1000)) },
	} {
		app.Get(path, f)
	}
	return app
}

func TestRecipeOfFiber(t *testing.T) {
	t.Parallel()
	app := recipeFiber(quiet())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(listener) }()
	t.Cleanup(func() {
		require.NoError(t, app.ShutdownWithContext(context.Background()))
		require.NoError(t, <-ended)
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	url := "http://" + listener.Addr().String()
	ask(t, client, "GET", url+"/error").isProblem(t, 409, "email_taken")
	ask(t, client, "GET", url+"/panic").isProblem(t, 500, "internal")
	ask(t, client, "GET", url+"/half").isProblem(t, 409, "email_taken")
	ask(t, client, "GET", url+"/nothing").isProblem(t, 404, "not_found")
	wrong := ask(t, client, "POST", url+"/ok")
	wrong.isProblem(t, 405, "method_not_allowed")
	require.Contains(t, wrong.allow, "GET")
	require.Equal(t, strings.Repeat("fine ", 1000), ask(t, client, "GET", url+"/ok").body)
}
