package schema_test

import (
	"testing"

	"github.com/rowkeeper/rowkeeper/owner/internal/exampled"
)

func TestEveryNameHasAnExample(t *testing.T) {
	t.Parallel()
	if n := exampled.Check(t); n < 12 {
		t.Errorf("only %d names were found", n)
	}
}
