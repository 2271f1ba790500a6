package oracle

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func state(t *testing.T, text string) State {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v))
	s := State{}
	s.Add("GET /x", 200, v)
	return s
}

func TestDiff(t *testing.T) {
	t.Parallel()
	before := state(t, `{"items": [{"id": "a", "n": 1}, {"id": "b", "n": 2}], "now": 5}`)
	require.Empty(t, Diff(before, state(t, `{"items": [{"id": "b", "n": 2}, {"id": "a", "n": 1}], "now": 5}`), nil), "the order does not matter")
	changes := Diff(before, state(t, `{"items": [{"id": "a", "n": 4}], "now": 6}`), map[string]bool{"now": true})
	lines := []string{}
	for _, c := range changes {
		lines = append(lines, c.String())
	}
	require.Equal(t, []string{
		"GET /x /items/#: 2 became 1", "GET /x /items/a/n: 1 became 4", `GET /x /items/b/id: "b" became nothing`, "GET /x /items/b/n: 2 became nothing",
	}, lines)
}

func TestGoneIsAChange(t *testing.T) {
	t.Parallel()
	after := State{}
	after.Add("GET /x", 404, nil)
	require.NotEmpty(t, Diff(state(t, `{"id": 1}`), after, nil))
}

func TestDeltas(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]float64{"GET /x /a": 2, "GET /x /money": -0.5},
		Deltas(state(t, `{"a": 1, "money": "2.00", "name": "x", "same": 3}`), state(t, `{"a": 3, "money": "1.50", "name": "y", "same": 3}`)))
}
