package finding

import (
	"fmt"
	"slices"
	"strings"
)

// A Rule is one kind of fault.
type Rule struct {
	ID       string   // "RKV01": V for vet, A for audit, P for probe
	Name     string   // "pool-in-tx"
	Title    string   // what it finds, as a sentence
	Severity Severity // of a finding, unless the finding says otherwise

	CWE []int  // numbers in the Common Weakness Enumeration
	API string // "API1", in the OWASP API Security Top 10 of 2023, or ""
	PCI string // the requirement of PCI DSS 4.0.1 that it relates to, or ""

	Why    string // what goes wrong, in a few sentences
	Fix    string // how to mend it, in a line
	Silent string // when the rule says nothing although it might seem to apply
	Bad    string // an example that it finds
	Good   string // the same, mended

	Rowkeeper string // the call of Rowkeeper that makes it impossible, or ""
}

// PCI DSS 4.0.1, requirement 6.2.4, by its classes of attacks. A rule relates to a
// requirement; it does not show that the requirement is met.
const (
	PCIInjection = "6.2.4 injection attacks"
	PCIData      = "6.2.4 attacks on data and data structures"
	PCILogic     = "6.2.4 attacks on business logic"
	PCIAccess    = "6.2.4 attacks on access control mechanisms"
)

// New returns a finding of the rule with its severity, fix and call of Rowkeeper.
func (r *Rule) New(confidence Confidence, place Place, message string, identity ...string) Finding {
	return Finding{
		Rule: r.ID, Severity: r.Severity, Confidence: confidence, Place: place, Message: message,
		Remedy: Remedy{Text: r.Fix, Rowkeeper: r.Rowkeeper}, Identity: identity,
	}
}

// Rules is a set of rules, in the order of their IDs.
type Rules []*Rule

// Join returns the rules of several sets as one, or an error if one of them is
// incomplete or two have the same ID or name.
func Join(sets ...Rules) (Rules, error) {
	all := slices.Concat(sets...)
	slices.SortFunc(all, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	seen := map[string]bool{}
	for _, r := range all {
		if r.ID == "" || r.Name == "" || r.Title == "" || r.Severity == 0 || len(r.CWE) == 0 || r.Why == "" || r.Fix == "" {
			return nil, fmt.Errorf("rule %q %q is incomplete", r.ID, r.Name)
		}
		if seen[r.ID] || seen[r.Name] {
			return nil, fmt.Errorf("rule %s %s is declared twice", r.ID, r.Name)
		}
		seen[r.ID], seen[r.Name] = true, true
	}
	return all, nil
}

// Find returns the rule with that ID or name, in any case, or nil.
func (rs Rules) Find(name string) *Rule {
	for _, r := range rs {
		if strings.EqualFold(r.ID, name) || strings.EqualFold(r.Name, name) {
			return r
		}
	}
	return nil
}
