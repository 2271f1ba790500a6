package owner_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Exactly the mistakes that the types forbid do not compile.
func TestMistakesDoNotCompile(t *testing.T) {
	t.Parallel()
	const path = "testdata/compile/compile.go"
	source, err := os.ReadFile(path)
	require.NoError(t, err)
	want := map[string]string{}
	for i, line := range strings.Split(string(source), "\n") {
		if strings.HasSuffix(line, "// wrong") {
			want[fmt.Sprint(i+1)] = strings.TrimSpace(line)
		}
	}
	require.NotEmpty(t, want)

	// With -e the compiler does not stop after ten errors.
	out, err := exec.CommandContext(t.Context(), "go", "build", "-gcflags=-e", path).CombinedOutput()
	require.Error(t, err)
	got := map[string]string{}
	for _, m := range regexp.MustCompile(`compile\.go:(\d+):\d+: (.*)`).FindAllStringSubmatch(string(out), -1) {
		got[m[1]] = m[2]
	}
	for line, text := range want {
		require.Contains(t, got, line, "this compiled: %s\n%s", text, out)
	}
	for line, message := range got {
		require.Contains(t, want, line, message)
	}
}
