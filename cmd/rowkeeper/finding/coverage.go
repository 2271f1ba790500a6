package finding

// Coverage tells what a run looked at. A run that looked at too little is never
// clean: it could not judge.
type Coverage struct {
	Engine   string            `json:"engine"` // "vet", "audit" or "probe"
	Subjects []Subject         `json:"subjects"`
	Rules    map[string]string `json:"rules"`             // by ID: "" if judged, otherwise why not
	Failure  string            `json:"failure,omitempty"` // why the engine ended early
	Notes    []string          `json:"notes,omitempty"`   // for whoever runs it, such as a suppression that nothing needs
}

// A Subject is a package, a table or an operation.
type Subject struct {
	Name    string `json:"name"`
	Skipped string `json:"skipped,omitempty"` // why it was not looked at, or ""
	Ignored bool   `json:"ignored,omitempty"` // skipped on request, so it does not count
}

// Reached returns the share of subjects that were looked at, from 0 to 1, among those
// that count. Without any it is 0.
func (c *Coverage) Reached() float64 {
	counted, reached := 0, 0
	for _, s := range c.Subjects {
		if s.Ignored {
			continue
		}
		counted++
		if s.Skipped == "" {
			reached++
		}
	}
	if counted == 0 {
		return 0
	}
	return float64(reached) / float64(counted)
}

// Skip records a subject that was not looked at.
func (c *Coverage) Skip(name, reason string) {
	c.Subjects = append(c.Subjects, Subject{Name: name, Skipped: reason})
}

// Reach records a subject that was looked at.
func (c *Coverage) Reach(name string) {
	c.Subjects = append(c.Subjects, Subject{Name: name})
}
