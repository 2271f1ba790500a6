package probetest_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/probetest"
)

const spec = `{
  "openapi": "3.1.0", "info": {"title": "Notes", "version": "1"}, "security": [{"bearer": []}],
  "paths": {
    "/notes": {
      "post": {"requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}}}},
               "responses": {"201": {"description": "made"}}},
      "get": {"responses": {"200": {"description": "all"}}}},
    "/notes/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {"description": "one"}}}}},
  "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}}
}`

type note struct {
	ID    string `json:"id"`
	Text  string `json:"text"`
	owner string
}

// notes is a service whose only mistake is in get, if there is one.
func notes(scoped bool) http.Handler {
	var mu sync.Mutex
	all := []note{}
	reply := func(w http.ResponseWriter, status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // the client has gone if this fails
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(spec)) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, me, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if me != "token-of-ann" && me != "token-of-ben" {
			reply(w, 401, nil)
			return
		}
		if r.Method == http.MethodPost {
			n := note{owner: me}
			if json.NewDecoder(r.Body).Decode(&n) != nil || n.Text == "" {
				reply(w, 400, nil)
				return
			}
			n.ID = "note-" + strings.Repeat("x", len(all)+16)
			all = append(all, n)
			reply(w, 201, n)
			return
		}
		mine := []note{}
		for _, n := range all {
			if r.URL.Path == "/notes/"+n.ID && (n.owner == me || !scoped) {
				reply(w, 200, n)
				return
			}
			if n.owner == me {
				mine = append(mine, n)
			}
		}
		if r.URL.Path != "/notes" {
			reply(w, 404, nil)
			return
		}
		reply(w, 200, mine)
	})
	return mux
}

func TestRun(t *testing.T) {
	t.Parallel()
	ann, ben := probetest.Bearer("ann", "token-of-ann"), probetest.Bearer("ben", "token-of-ben")
	probetest.Run(t, notes(true), "/openapi.json", ann, ben)

	file := filepath.Join(t.TempDir(), "openapi.json")
	require.NoError(t, os.WriteFile(file, []byte(spec), 0o644))
	broken := &recorder{TB: t}
	probetest.Run(broken, notes(false), file, ann, ben)
	require.Contains(t, broken.errors, "RKP02")
	require.NotContains(t, broken.errors, "token-of")
}

// recorder keeps errors instead of failing.
type recorder struct {
	testing.TB
	errors string
}

func (r *recorder) Errorf(format string, args ...any) {
	for _, a := range args {
		if s, ok := a.(string); ok {
			r.errors += s + "\n"
		}
	}
}
