package oas

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

const head = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\n"

func TestLoadReadsOptionalAndExternalSchemas(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"openapi.yaml": head + `
paths:
  /things/{id}:
    post:
      x-rowkeeper: shared
      requestBody: {content: {application/json: {schema: {$ref: "parts/s.yaml#/Thing"}}}}
      responses: {"200": {description: x, content: {application/json: {schema: {}}}}}
`,
		"parts/s.yaml": `
Thing:
  type: object
  required: [name]
  properties:
    name: {anyOf: [{type: string, maxLength: 5}, {type: "null"}]}
    count: {type: [integer, "null"], exclusiveMinimum: 0}
    child: {$ref: "#/Thing"}
`})
	d, err := Load(t.Context(), filepath.Join(dir, "openapi.yaml"), nil)
	require.NoError(t, err)
	require.Len(t, d.Operations, 1)
	op := d.Operations[0]
	require.Equal(t, "shared", op.Mark)
	require.NotNil(t, op.Param("path", "id"), "the document forgot it")
	require.False(t, op.Secured)
	require.NotZero(t, op.Line)
	s := op.Body.Schema
	name := s.Property("name")
	require.True(t, name.Nullable && name.Is("string") && *name.MaxLength == 5 && len(name.Choices) == 0)
	require.True(t, s.Property("count").Nullable && s.Property("count").OverMin)
	child := s.Property("child")
	require.Same(t, child, child.Property("child"), "a circle ends")
	require.True(t, d.Mentions("maxLength"))

	for text, keyword := range map[string]string{
		`{"name": "abc"}`: "", `{"name": null, "count": 1}`: "", `{"name": "abcdef"}`: "maxLength", `{}`: "required",
		`{"name": "a", "count": 0}`: "minimum", `{"name": 5}`: "type", `{"name": "a", "count": 1.5}`: "type",
	} {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var v any
		require.NoError(t, dec.Decode(&v))
		_, got := s.Violates(v)
		require.Equal(t, keyword, got, text)
	}
}

func TestLoadStaysInTheFolder(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"secret.yaml":      "Thing: {type: object}",
		"api/openapi.yaml": head + "paths: {/x: {get: {responses: {'200': {description: x, content: {application/json: {schema: {$ref: '../secret.yaml#/Thing'}}}}}}}}",
		"api/link.yaml":    head + "paths: {/x: {get: {responses: {'200': {description: x, content: {application/json: {schema: {$ref: 'inside.yaml#/Thing'}}}}}}}}",
		"api/net.yaml":     head + "paths: {/x: {get: {responses: {'200': {description: x, content: {application/json: {schema: {$ref: 'http://127.0.0.1:1/s.yaml#/Thing'}}}}}}}}",
	})
	require.NoError(t, os.Symlink(filepath.Join(dir, "secret.yaml"), filepath.Join(dir, "api/inside.yaml")))
	for _, name := range []string{"openapi.yaml", "link.yaml", "net.yaml"} {
		_, err := Load(t.Context(), filepath.Join(dir, "api", name), nil)
		require.ErrorIs(t, err, errOutside, name)
	}
}

func TestLoadStaysOnTheHost(t *testing.T) {
	t.Parallel()
	var visited bool
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { visited = true }))
	defer foreign.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ref := "part.yaml#/Thing"
		if r.URL.Path == "/evil.yaml" {
			ref = foreign.URL + "/" + ref
		}
		if r.URL.Path == "/part.yaml" {
			fmt.Fprint(w, "Thing: {type: object, properties: {a: {type: string}}}")
			return
		}
		fmt.Fprintf(w, head+"paths: {/x: {get: {responses: {'200': {description: x, content: {application/json: {schema: {$ref: '%s'}}}}}}}}", ref)
	}))
	defer srv.Close()
	d, err := Load(t.Context(), srv.URL+"/openapi.yaml", http.DefaultTransport)
	require.NoError(t, err)
	require.NotNil(t, d.Operations[0].Success().Schema.Property("a"))
	_, err = Load(t.Context(), srv.URL+"/evil.yaml", http.DefaultTransport)
	require.ErrorIs(t, err, errOutside)
	require.False(t, visited)
}

// large returns a document of about that size with that many operations.
func large(bytes, operations int) string {
	var b strings.Builder
	b.WriteString(`{"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {`)
	for i := range operations {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `"/p%d/{id}": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {`, i)
		for j := 0; b.Len() < (i+1)*(bytes-200)/operations-100; j++ {
			if j > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, `"p%d": {"type": "string", "maxLength": 10, "description": "a property of the thing"}`, j)
		}
		b.WriteString(`}}}}}, "responses": {"200": {"description": "x"}}}}`)
	}
	b.WriteString(`}}`)
	return b.String()
}

func TestLoadIsBounded(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"wide.json": large(400_000, MaxOperations+1), "long.json": strings.Repeat(" ", MaxBytes) + large(1000, 1)})
	_, err := Load(t.Context(), filepath.Join(dir, "wide.json"), nil)
	require.ErrorContains(t, err, "more than 2000 operations")
	_, err = Load(t.Context(), filepath.Join(dir, "long.json"), nil)
	require.ErrorContains(t, err, "larger than")
}

// The largest document that is read needs less memory than this.
const most = 1400 << 20

func TestMemoryOfTheLargestDocument(t *testing.T) {
	text := large(MaxBytes-100_000, MaxOperations)
	dir := write(t, map[string]string{"openapi.json": text})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	d, err := Load(t.Context(), filepath.Join(dir, "openapi.json"), nil)
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	allocated, system := after.TotalAlloc-before.TotalAlloc, after.HeapSys
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d bytes, %d operations: %d MB allocated, heap of %d MB, %d MB kept", len(text), len(d.Operations),
		allocated>>20, system>>20, (after.HeapAlloc-before.HeapAlloc)>>20)
	require.Len(t, d.Operations, MaxOperations)
	require.Less(t, system, uint64(most))
}
