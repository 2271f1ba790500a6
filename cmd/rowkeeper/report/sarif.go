package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// SARIF writes the report as a log of SARIF 2.1.0, as GitHub's code scanning reads
// it. GitHub refuses a result without a physical location: a finding that is in no
// file is placed at the first line of the file fallback.
func (r *Report) SARIF(w io.Writer, fallback string) error {
	run := sarifRun{
		Tool: sarifTool{Driver: sarifDriver{
			Name: "rowkeeper", Version: r.Version, InformationURI: "https://github.com/rowkeeper/rowkeeper", Rules: []sarifRule{},
		}},
		Results:    []sarifResult{},
		ColumnKind: "utf16CodeUnits",
	}
	index := map[string]int{}
	for i, rule := range r.rules {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, newSARIFRule(rule))
	}
	for i := range r.Findings {
		run.Results = append(run.Results, newSARIFResult(&r.Findings[i], index, fallback))
	}
	for _, ignored := range r.Ignored {
		result := newSARIFResult(&ignored.Finding, index, fallback)
		result.Suppressions = []sarifSuppression{{Kind: "external", Justification: ignored.Reason}}
		run.Results = append(run.Results, result)
	}
	for i := range r.Coverage {
		invocation := sarifInvocation{Successful: r.Coverage[i].Failure == ""}
		if failure := r.Coverage[i].Failure; failure != "" {
			invocation.Notifications = []sarifNotification{{Level: "error", Message: sarifText{failure}}}
		}
		run.Invocations = append(run.Invocations, invocation)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func newSARIFRule(rule *finding.Rule) sarifRule {
	tags := []string{"security"}
	for _, n := range rule.CWE {
		tags = append(tags, fmt.Sprintf("external/cwe/cwe-%d", n))
	}
	if rule.API != "" {
		tags = append(tags, "owasp-api-2023:"+rule.API)
	}
	help := rule.Why + "\n\nFix: " + rule.Fix
	if rule.Rowkeeper != "" {
		help += "\n\nWith Rowkeeper: " + rule.Rowkeeper
	}
	out := sarifRule{
		ID: rule.ID, Name: camel(rule.Name),
		Short: sarifText{rule.Title}, Full: sarifText{rule.Why}, Help: sarifText{help},
		Configuration: sarifConfiguration{Level: sarifLevel(rule.Severity)},
	}
	out.Properties.Tags, out.Properties.SecuritySeverity = tags, securitySeverity[rule.Severity]
	return out
}

func newSARIFResult(f *finding.Finding, index map[string]int, fallback string) sarifResult {
	text := f.Message
	for _, e := range f.Evidence {
		text += "\n" + e.Text
	}
	text += "\nFix: " + f.Remedy.Text
	result := sarifResult{
		RuleID: f.Rule, RuleIndex: index[f.Rule], Level: sarifLevel(f.Severity), Message: sarifText{text},
		PartialFingerprints: map[string]string{"rowkeeper/v1": f.Fingerprint()},
	}
	location := sarifLocation{}
	location.Physical.Artifact.URI = fallback
	location.Physical.Region = sarifRegion{Line: 1}
	if f.Place.File != "" {
		location.Physical.Artifact.URI = f.Place.File
		location.Physical.Region = sarifRegion{Line: max(1, f.Place.Line), Column: f.Place.Column}
	}
	if f.Place.Object != "" {
		location.Logical = []sarifLogical{{Name: f.Place.Object}}
	}
	result.Locations = []sarifLocation{location}
	return result
}

// securitySeverity is GitHub's score: over 9.0 is critical, from 7.0 high, from 4.0
// medium.
var securitySeverity = map[finding.Severity]string{
	finding.Critical: "9.5", finding.High: "8.0", finding.Medium: "5.5", finding.Low: "2.0",
}

func sarifLevel(s finding.Severity) string {
	switch s {
	case finding.Critical, finding.High:
		return "error"
	case finding.Medium:
		return "warning"
	}
	return "note"
}

// camel returns "pool-in-tx" as "PoolInTx".
func camel(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}
