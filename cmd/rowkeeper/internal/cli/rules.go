package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

func listRules(fs *flag.FlagSet, t *terminal) func(context.Context, []string) (int, error) {
	asJSON := fs.Bool("json", false, "write JSON")
	return func(_ context.Context, args []string) (int, error) {
		if len(args) > 0 {
			return usageError, errors.New("rules takes no arguments; explain shows one rule")
		}
		if *asJSON {
			e := json.NewEncoder(t.out)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return 0, e.Encode(rules())
		}
		w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		for _, r := range rules() {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.ID, r.Severity, r.Name, r.Title)
		}
		return 0, w.Flush()
	}
}

func explain(_ *flag.FlagSet, t *terminal) func(context.Context, []string) (int, error) {
	return func(_ context.Context, args []string) (int, error) {
		if len(args) == 0 {
			return usageError, errors.New("name a rule, such as RKV03; rowkeeper rules lists them")
		}
		for i, name := range args {
			rule := rules().Find(name)
			if rule == nil {
				return usageError, fmt.Errorf("no rule %q; rowkeeper rules lists them", name)
			}
			if i > 0 {
				fmt.Fprintln(t.out)
			}
			explainRule(t.out, rule)
		}
		return 0, nil
	}
}

func explainRule(w io.Writer, r *finding.Rule) {
	fmt.Fprintf(w, "%s %s (%s)\n%s\n\n%s\n", r.ID, r.Name, r.Severity, r.Title, r.Why)
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(w, "\n%s\n%s\n", title, indent(text))
		}
	}
	section("Found:", r.Bad)
	section("Mended:", r.Good)
	section("Fix:", r.Fix)
	section("With Rowkeeper:", r.Rowkeeper)
	section("Silent:", r.Silent)
	var relates []string
	for _, n := range r.CWE {
		relates = append(relates, fmt.Sprintf("CWE-%d", n))
	}
	if r.API != "" {
		relates = append(relates, "OWASP "+r.API+":2023")
	}
	if r.PCI != "" {
		relates = append(relates, "PCI DSS 4.0.1 "+r.PCI)
	}
	fmt.Fprintf(w, "\nRelates to %s.\n", strings.Join(relates, ", "))
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.Trim(text, "\n"), "\n", "\n    ")
}
