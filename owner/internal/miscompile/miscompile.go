// Package miscompile checks, for tests, which lines do not compile.
package miscompile

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// Check fails the test unless exactly the lines of a Go file that end in "// wrong"
// fail to compile.
func Check(t *testing.T, path string) {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// With -e the compiler does not stop after ten errors.
	out, err := exec.CommandContext(t.Context(), "go", "build", "-gcflags=-e", path).CombinedOutput()
	if err == nil {
		t.Fatal("all of it compiled")
	}
	got := map[string]string{}
	for _, m := range regexp.MustCompile(`\.go:(\d+):\d+: (.*)`).FindAllStringSubmatch(string(out), -1) {
		got[m[1]] = m[2]
	}
	for i, line := range strings.Split(string(source), "\n") {
		number := fmt.Sprint(i + 1)
		message, failed := got[number]
		switch wrong := strings.HasSuffix(line, "// wrong"); {
		case wrong && !failed:
			t.Errorf("this compiled: %s\n%s", strings.TrimSpace(line), out)
		case failed && !wrong:
			t.Errorf("this did not compile: %s: %s", strings.TrimSpace(line), message)
		}
	}
}
