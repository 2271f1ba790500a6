package schema

import (
	"context"
	"fmt"

	"github.com/rowkeeper/rowkeeper/errs"
)

// TestingT is the part of *testing.T that [VerifyT] needs.
type TestingT interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
}

// VerifyT is [Verify] for tests: each finding fails the test, and so does an error. It
// passes over findings that have the Kind, Table and Name of one that is ignored; those
// that are left out stand for any.
//
//	func TestCatalog(t *testing.T) {
//		schema.VerifyT(t, migrated(t), catalog,
//			schema.Finding{Kind: schema.MissingRule, Table: "audit_log"}, // no client writes to it
//		)
//	}
//
// An ignored finding that is not found fails the test too, so that none stays behind when
// its cause is gone, and so does one without Kind, Table and Name.
func VerifyT(t TestingT, db Querier, catalog *errs.Catalog, ignored ...Finding) {
	t.Helper()
	findings, err := Verify(t.Context(), db, catalog)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	used := make([]bool, len(ignored))
	for _, f := range findings {
		passed := false
		for i, ignore := range ignored {
			if covers(ignore, f) {
				passed, used[i] = true, true
			}
		}
		if !passed {
			t.Errorf("%v", f)
		}
	}
	for i, ignore := range ignored {
		switch {
		case isEmpty(ignore):
			t.Errorf("errs/schema: what is ignored has no Kind, Table or Name")
		case !used[i]:
			t.Errorf("errs/schema: nothing was found that is ignored: %s", describe(ignore))
		}
	}
}

func isEmpty(pattern Finding) bool {
	return pattern.Kind == 0 && pattern.Table == "" && pattern.Name == ""
}

// covers reports whether a pattern stands for the finding.
func covers(pattern, f Finding) bool {
	return !isEmpty(pattern) && (pattern.Kind == 0 || pattern.Kind == f.Kind) &&
		(pattern.Table == "" || pattern.Table == f.Table) && (pattern.Name == "" || pattern.Name == f.Name)
}

func describe(pattern Finding) string {
	if pattern.Kind == 0 {
		return fmt.Sprintf("Table %q, Name %q", pattern.Table, pattern.Name)
	}
	return fmt.Sprintf("%v, Table %q, Name %q", pattern.Kind, pattern.Table, pattern.Name)
}
