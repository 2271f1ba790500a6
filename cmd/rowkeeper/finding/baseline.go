package finding

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// A Baseline is a set of known findings, which a run does not show. It is kept as a
// file that reviewers can read.
type Baseline struct {
	Version int     `json:"version"`
	Known   []Known `json:"known"`
}

// A Known finding. Where and what it was is for readers; the fingerprint decides.
type Known struct {
	Fingerprint string `json:"fingerprint"`
	Rule        string `json:"rule"`
	Place       string `json:"place"`
	Message     string `json:"message"`
}

const baselineVersion = 1

// ReadBaseline reads a file. One that does not exist is an empty baseline.
func ReadBaseline(name string) (*Baseline, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &Baseline{Version: baselineVersion}, nil
	}
	if err != nil {
		return nil, err
	}
	b := new(Baseline)
	if err := json.Unmarshal(text, b); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if b.Version != baselineVersion {
		return nil, fmt.Errorf("%s: version %d; this command knows version %d", name, b.Version, baselineVersion)
	}
	return b, nil
}

// Update returns the baseline of those findings. What the run did not judge stays
// known.
func (b *Baseline) Update(findings []Finding, judged func(rule string) bool) *Baseline {
	next := &Baseline{Version: baselineVersion, Known: []Known{}}
	for _, k := range b.Known {
		if !judged(k.Rule) {
			next.Known = append(next.Known, k)
		}
	}
	for i := range findings {
		f := &findings[i]
		next.Known = append(next.Known, Known{f.Fingerprint(), f.Rule, f.Place.Name(), f.Message})
	}
	slices.SortFunc(next.Known, func(x, y Known) int {
		return strings.Compare(x.Rule+x.Place+x.Fingerprint, y.Rule+y.Place+y.Fingerprint)
	})
	next.Known = slices.CompactFunc(next.Known, func(x, y Known) bool { return x.Fingerprint == y.Fingerprint })
	return next
}

// Write writes the file.
func (b *Baseline) Write(name string) error {
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(text, '\n'), 0o666)
}

// Split returns the findings that are not known, the number of those that are, and the
// known ones that were not found again. Stale are only those of rules that were
// judged in this run.
func (b *Baseline) Split(findings []Finding, judged func(rule string) bool) (fresh []Finding, known int, stale []Known) {
	found := map[string]bool{}
	for i := range findings {
		found[findings[i].Fingerprint()] = true
	}
	listed := map[string]bool{}
	for _, k := range b.Known {
		listed[k.Fingerprint] = true
		if !found[k.Fingerprint] && judged(k.Rule) {
			stale = append(stale, k)
		}
	}
	for i := range findings {
		if listed[findings[i].Fingerprint()] {
			known++
			continue
		}
		fresh = append(fresh, findings[i])
	}
	return fresh, known, stale
}
