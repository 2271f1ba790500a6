package owner_test

import (
	"testing"

	"github.com/rowkeeper/rowkeeper/owner/internal/miscompile"
)

// Exactly the mistakes that the types forbid do not compile.
func TestMistakesDoNotCompile(t *testing.T) {
	t.Parallel()
	miscompile.Check(t, "testdata/compile/compile.go")
}
