package ownertest_test

import (
	"testing"

	"github.com/rowkeeper/rowkeeper/internal/exampled"
)

func TestEveryNameHasAnExample(t *testing.T) {
	t.Parallel()
	if n := exampled.Check(t, nil); n < 5 {
		t.Errorf("only %d names were found", n)
	}
}
