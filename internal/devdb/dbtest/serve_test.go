package dbtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlySelectedExamplesNeedADatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, source := range map[string]string{
		"example_test.go":       "func ExampleRun() {\n\tpgxpool.New(ctx, os.Getenv(\"DATABASE_URL\"))\n}\n\nfunc ExampleNew_twice() {}\n",
		"example_other_test.go": "func ExampleOther() {}\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600))
	}
	names, err := exampleNames(dir)
	require.NoError(t, err)
	require.Equal(t, []string{"ExampleRun", "ExampleNew_twice"}, names)

	for pattern, want := range map[string]bool{
		"":                            true,
		"Run":                         true,
		"^ExampleRun$":                true,
		"^$":                          false,
		"TestRun":                     false,
		"^(TestOther|ExampleRun)$":    true,
		"TestOther/x|ExampleRun":      true,
		"TestOther/ExampleRun":        false,
		"^TestEveryNameHasAnExample$": false,
		"Test[a/b]":                   true, // not understood
	} {
		require.Equal(t, want, selects(pattern)("ExampleRun"), pattern)
	}
}

func TestSearchPathOfAConnectionString(t *testing.T) {
	t.Parallel()
	for conn, want := range map[string]string{
		"postgres://root@localhost:1/db":                               "postgres://root@localhost:1/db?search_path=t_1",
		"postgres://u:p%40@h/db?sslmode=disable&search_path=elsewhere": "postgres://u:p%40@h/db?search_path=t_1&sslmode=disable",
		"host=/tmp user=u":                                             "host=/tmp user=u search_path=t_1",
	} {
		require.Equal(t, want, withSearchPath(conn, "t_1"))
	}
}
