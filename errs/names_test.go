package errs_test

import (
	"testing"

	"github.com/rowkeeper/rowkeeper/internal/exampled"
)

func TestEveryNameHasAnExample(t *testing.T) {
	t.Parallel()
	forFrameworks := "huma, echo v5, goa and go-kit call it; see errs/interop"
	n := exampled.Check(t, map[string]string{
		"Internal":          "the kinds are alike: each has a line of its own in their list",
		"Error.ContentType": forFrameworks,
		"Error.GetHeaders":  forFrameworks,
		"Error.GetStatus":   forFrameworks,
		"Error.StatusCode":  forFrameworks,
	})
	if n < 75 {
		t.Errorf("only %d names were found", n)
	}
}
