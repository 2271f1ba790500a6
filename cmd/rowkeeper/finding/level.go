package finding

import (
	"fmt"
	"slices"
)

// A Severity tells how bad it is if the finding is true.
type Severity int

// The severities, and their zero value, which no finding has.
const (
	Low Severity = iota + 1
	Medium
	High
	Critical
)

var severities = []string{"low", "medium", "high", "critical"}

// String returns the name.
func (s Severity) String() string { return level(severities, int(s)) }

// MarshalText returns the name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts a name.
func (s *Severity) UnmarshalText(text []byte) error {
	n, err := parseLevel("severity", severities, string(text))
	*s = Severity(n)
	return err
}

// A Confidence tells how sure a finding is.
type Confidence int

// The confidences, and their zero value, which no finding has.
const (
	Suspected Confidence = iota + 1 // worth a look
	Strong                          // the structure leaves no reading in which it is right
	Proved                          // an effect, or rows, were seen
)

var confidences = []string{"suspected", "strong", "proved"}

// String returns the name.
func (c Confidence) String() string { return level(confidences, int(c)) }

// MarshalText returns the name.
func (c Confidence) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText accepts a name.
func (c *Confidence) UnmarshalText(text []byte) error {
	n, err := parseLevel("confidence", confidences, string(text))
	*c = Confidence(n)
	return err
}

func level(names []string, n int) string {
	if n < 1 || n > len(names) {
		return "unknown"
	}
	return names[n-1]
}

func parseLevel(what string, names []string, name string) (int, error) {
	n := slices.Index(names, name) + 1
	if n == 0 {
		return 0, fmt.Errorf("%q is not a %s; the names are %v", name, what, names)
	}
	return n, nil
}
