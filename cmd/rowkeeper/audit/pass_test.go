package audit

import (
	"slices"
	"testing"
)

func TestIgnores(t *testing.T) {
	t.Parallel()
	got := ignores("The accounts.\nrowkeeper:ignore RKA08 an overdraft is agreed\nrowkeeper:ignore RKA07\n")
	want := []ignore{
		{"RKA08", "an overdraft is agreed", "rowkeeper:ignore RKA08 an overdraft is agreed"},
		{"RKA07", "", "rowkeeper:ignore RKA07"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if got := ignores("nothing is to be ignored"); got != nil {
		t.Errorf("%+v", got)
	}
}
