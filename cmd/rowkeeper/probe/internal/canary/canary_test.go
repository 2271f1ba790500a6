package canary

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMarks(t *testing.T) {
	t.Parallel()
	a, b := NewMint(), NewMint()
	one, two := a.New(), a.New()
	require.NotEqual(t, one, two)
	require.Len(t, one, 16)
	require.True(t, a.In([]byte("x"+one)))
	require.False(t, b.In([]byte(one)))
}

func TestHasID(t *testing.T) {
	t.Parallel()
	v := map[string]any{"list": []any{map[string]any{"href": "/things/abc"}, "def"}}
	require.True(t, HasID(v, "abc"))
	require.True(t, HasID(v, "def"))
	require.False(t, HasID(v, "de"), "only whole texts")
	require.True(t, Long("0b9a7c4e-6d1f-4b53-9a77-000000000001"))
	require.False(t, Long("12345678901234567890"), "a counter, however large")
	require.False(t, Long("short-id"))
}

func TestHasObject(t *testing.T) {
	t.Parallel()
	sample := map[string]any{"id": json.Number("7"), "name": "x", "open": true, "tags": []any{}}
	page := map[string]any{"items": []any{map[string]any{"id": json.Number("7"), "name": "x", "open": true, "more": nil}}}
	require.True(t, HasObject(page, sample))
	require.False(t, HasObject(map[string]any{"id": json.Number("7"), "name": "y", "open": true}, sample))
	require.False(t, HasObject(map[string]any{"id": json.Number("7")}, map[string]any{"id": json.Number("7")}), "an id alone is nothing")
}
