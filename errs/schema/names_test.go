package schema_test

import (
	"testing"

	"github.com/rowkeeper/rowkeeper/internal/exampled"
)

func TestEveryNameHasAnExample(t *testing.T) {
	t.Parallel()
	n := exampled.Check(t, map[string]string{
		"FindingKind": "its values are in an example",
		"Querier":     "an argument, such as a *pgxpool.Pool",
		"TestingT":    "an argument, such as a *testing.T",
	})
	if n < 10 {
		t.Errorf("only %d names were found", n)
	}
}
