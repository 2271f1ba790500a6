package config_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
)

func parse(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	return config.Parse([]byte(text), func(name string) (string, bool) {
		return `a: "b" # ` + name, name == "TOKEN"
	})
}

func TestParse(t *testing.T) {
	t.Parallel()
	c, err := parse(t, `
owned: {accounts: user_id}
retry: [example.com/db.WithRetry]
ignore:
  - {rule: RKA03, object: "public.countries*", reason: small}
probe:
  as:
    alice: {header: {Authorization: "Bearer ${TOKEN}"}}
    bob: {login: {operation: POST /token, form: {username: bob}, token: /access_token}}
  limits: {time: 30s}
`)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"accounts": "user_id"}, c.Owned)
	require.Equal(t, `Bearer a: "b" # TOKEN`, c.Probe.Principals["alice"].Header["Authorization"])
	require.Equal(t, "/access_token", c.Probe.Principals["bob"].Login.Token)
	require.Equal(t, 30*time.Second, c.Probe.Limits.Time)
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, reason := range map[string]string{
		"owned: [":                               "line 2",
		"oned: {a: b}":                           "field oned not found",
		"role: ${NOBODY}":                        "the environment has no NOBODY",
		"ignore: [{rule: RKV01}]":                "a reason is missing",
		"ignore: [{reason: because}]":            "name a rule or an object",
		"probe: {as: {alice: {header: {a: b}}}}": "1 principals; two are needed",
		"probe: {as: {alice: {header: {a: b}, exec: [x]}, bob: {exec: [y]}}}": "give one of header, exec and login",
	} {
		_, err := parse(t, text)
		require.ErrorContains(t, err, reason, text)
	}
}

func TestEmptyFileIsAConfiguration(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing\n"} {
		c, err := parse(t, text)
		require.NoError(t, err)
		require.Equal(t, new(config.Config), c)
	}
}

func TestReadWithoutAFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "rowkeeper.yaml")
	c, err := config.Read(name, false)
	require.NoError(t, err)
	require.Equal(t, new(config.Config), c)
	_, err = config.Read(name, true)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(name, []byte("oned: 1"), 0o600))
	_, err = config.Read(name, false)
	require.ErrorContains(t, err, name)
}
