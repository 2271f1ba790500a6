// Package finding holds what vet, audit and probe have in common: the rules, what
// they find, and which findings are ignored or known.
package finding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// A Finding is a fault of one rule at one place.
type Finding struct {
	Rule       string     `json:"rule"` // the ID
	Severity   Severity   `json:"severity"`
	Confidence Confidence `json:"confidence"`
	Place      Place      `json:"place"`
	Message    string     `json:"message"`            // one sentence, with the names of this place
	Evidence   []Evidence `json:"evidence,omitempty"` // in the order in which it was seen
	Remedy     Remedy     `json:"remedy"`

	// Identity is what makes the finding the same one in the next run: names, and
	// never line numbers. The rule is added to it.
	Identity []string `json:"-"`
}

// A Place is in a file, or in something that is not one, such as a schema. One
// finding may have both.
type Place struct {
	File   string `json:"file,omitempty"` // with slashes, relative to the working directory
	Line   int    `json:"line,omitempty"` // from 1; 0 if unknown
	Column int    `json:"column,omitempty"`

	// Object names what the finding is about: "public.accounts.balance",
	// "PATCH /accounts/{id}", "example.com/bank.(*Server).deposit".
	Object string `json:"object,omitempty"`
}

// Name returns the object, or the file if there is none.
func (p Place) Name() string { return cmp.Or(p.Object, p.File) }

// Position returns the file with the line and column that are known, or "".
func (p Place) Position() string {
	switch {
	case p.File == "" || p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Evidence is something that was seen, with secrets removed.
type Evidence struct {
	Kind EvidenceKind `json:"kind"`
	Text string       `json:"text"`
}

// An EvidenceKind tells how to read the text of an Evidence.
type EvidenceKind string

// The kinds of evidence.
const (
	Note     EvidenceKind = "note"     // a sentence
	SQL      EvidenceKind = "sql"      // a statement
	Exchange EvidenceKind = "exchange" // an HTTP request and its response
	Count    EvidenceKind = "count"    // what was counted
)

// A Remedy says how to mend a finding.
type Remedy struct {
	Text      string `json:"text"`                // one line
	SQL       string `json:"sql,omitempty"`       // a migration, ready to run
	Rowkeeper string `json:"rowkeeper,omitempty"` // the call of Rowkeeper that makes the fault impossible
}

// Fingerprint identifies the finding across runs.
func (f *Finding) Fingerprint() string {
	sum := sha256.Sum256([]byte(f.Rule + "\x00" + strings.Join(f.Identity, "\x00")))
	return hex.EncodeToString(sum[:10])
}

// Sort sorts findings: the most severe first, then by rule and place.
func Sort(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(b.Severity, a.Severity),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Place.File, b.Place.File),
			cmp.Compare(a.Place.Line, b.Place.Line),
			cmp.Compare(a.Place.Column, b.Place.Column),
			cmp.Compare(a.Place.Object, b.Place.Object),
			cmp.Compare(a.Message, b.Message),
		)
	})
}
