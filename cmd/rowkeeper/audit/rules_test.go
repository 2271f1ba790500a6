package audit

import (
	"fmt"
	"testing"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

func TestRulesAreComplete(t *testing.T) {
	t.Parallel()
	rules, err := finding.Join(Rules())
	if err != nil {
		t.Fatal(err)
	}
	if len(rules) != 18 {
		t.Errorf("%d rules, want 18", len(rules))
	}
	for i, r := range rules {
		if want := fmt.Sprintf("RKA%02d", i+1); r.ID != want {
			t.Errorf("rule %s, want %s", r.ID, want)
		}
		if r.Silent == "" || r.Bad == "" || r.Good == "" {
			t.Errorf("%s lacks Silent, Bad or Good", r.ID)
		}
	}
}
