package probe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var hiddenField = &finding.Rule{
	ID: "RKP08", Name: "hidden-field", Severity: finding.High,
	Title: "A response has a secret, or a property that the document does not know",
	CWE:   []int{213}, API: "API3", PCI: finding.PCIAccess,
	Why: "The row is encoded as it is, so a column that was meant for the server reaches the client: the hash of a password, a " +
		"token, an internal note.",
	Fix: "Encode a struct that has only what the document declares.",
	Silent: "Undeclared properties of a schema that is open are not reported, but for secrets. Values that are empty or masked are " +
		"no secrets.",
	Bad:  `{"id": 7, "name": "Ann", "password_hash": "$2a$10$…"}`,
	Good: `{"id": 7, "name": "Ann"}`,
}

// observeMember looks at one member of a successful answer.
func (r *run) observeMember(a *plan.Action, name string, v any, parent *oas.Schema, where string, req client.Request, resp *client.Response) {
	declared := parent.Property(name)
	value, isText := v.(string)
	full := isText && len(value) >= 4 && strings.Trim(value, "*•xX") != ""
	known := len(parent.Names()) > 0
	l := leak{rule: hiddenField, severity: finding.High, confidence: finding.Proved, action: a, property: name}
	switch {
	case full && declared != nil && declared.WriteOnly:
		l.message = fmt.Sprintf("%s shows %s, which the document calls writeOnly.", a, name)
	case full && never.MatchString(name):
		l.message = fmt.Sprintf("%s shows %s.", a, name)
	case full && declared == nil && known && seldom.MatchString(name):
		l.message = fmt.Sprintf("%s shows %s, which the document does not declare.", a, name)
	case full && a.Secured && slices.Contains(r.c.Secrets(), value):
		l.message = fmt.Sprintf("%s shows a secret of the caller in %s.", a, name)
	case declared == nil && known && !parent.Object().Open && len(parent.Choices) == 0:
		l.severity, l.confidence = finding.Low, finding.Suspected
		if parent.Object().Closed {
			l.confidence = finding.Strong
		}
		l.message = fmt.Sprintf("%s shows %s, which the document does not declare.", a, where)
	default:
		return
	}
	// One row has one cause, wherever it is shown.
	for i := range r.leaks {
		if r.leaks[i].rule == hiddenField && r.leaks[i].property == name && r.leaks[i].action.Resource == a.Resource {
			return
		}
	}
	r.see(l, req, resp)
}

// reportLeaks makes findings of what the passive rules saw during the run.
func (r *run) reportLeaks() {
	for _, l := range r.leaks {
		r.report(l.rule, l.confidence, l.action, l.property, l.message, l.evidence).Severity = l.severity
	}
}
