package kind_test

import (
	"testing"

	"github.com/rowkeeper/rowkeeper/internal/exampled"
)

func TestEveryNameHasAnExample(t *testing.T) {
	t.Parallel()
	n := exampled.Check(t, map[string]string{
		"Internal": "the kinds are alike: the example of Kind stands for all",
	})
	if n < 30 {
		t.Errorf("only %d names were found", n)
	}
}
