package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/report"
)

// output holds the flags that all engines have.
type output struct {
	config, format, file, baseline string
	update                         bool
	failOn                         finding.Severity
	confidence                     finding.Confidence
	coverage                       float64
}

func outputFlags(fs *flag.FlagSet) *output {
	o := &output{failOn: finding.High, confidence: finding.Strong}
	fs.StringVar(&o.config, "config", "", "the configuration `file` (default "+config.File+", if it exists)")
	fs.StringVar(&o.format, "format", "text", "how to write the report: text, json or sarif")
	fs.StringVar(&o.file, "o", "", "write the report to the `file` and not to standard output")
	fs.StringVar(&o.baseline, "baseline", "rowkeeper.baseline.json", "the `file` of known findings, which are not shown")
	fs.BoolVar(&o.update, "update-baseline", false, "make the findings of this run the known ones")
	fs.TextVar(&o.failOn, "fail-on", o.failOn, "exit with 1 for findings of this `severity` or a higher one: low, medium, high, critical")
	fs.TextVar(&o.confidence, "min-confidence", o.confidence, "show findings of this `confidence` or a higher one: suspected, strong, proved")
	fs.Float64Var(&o.coverage, "min-coverage", 0.8, "exit with 3 if a smaller `share` of packages, tables or operations was looked at")
	return o
}

// read reads the configuration, and checks the flags before anything runs.
func (o *output) read() (*config.Config, error) {
	switch o.format {
	case "text", "json", "sarif":
	default:
		return nil, fmt.Errorf("-format %s: it is text, json or sarif", o.format)
	}
	if o.coverage < 0 || o.coverage > 1 {
		return nil, fmt.Errorf("-min-coverage %v: it is a share, from 0 to 1", o.coverage)
	}
	if o.update && o.baseline == "" {
		return nil, errors.New("-update-baseline needs a -baseline")
	}
	if o.config == "" {
		return config.Read(config.File, false)
	}
	return config.Read(o.config, true)
}

// scan runs the engines and reports what they found.
func (o *output) scan(ctx context.Context, t *terminal, c *config.Config, runs []run) (int, error) {
	var findings []finding.Finding
	var coverage []finding.Coverage
	for _, run := range runs {
		found, covered, err := run.engine(ctx)
		if covered == nil {
			covered = &finding.Coverage{Engine: run.name}
		}
		if err != nil {
			covered.Failure = err.Error()
		}
		findings, coverage = append(findings, found...), append(coverage, *covered)
	}
	known := new(finding.Baseline)
	if o.baseline != "" {
		var err error
		if known, err = finding.ReadBaseline(o.baseline); err != nil {
			return usageError, err
		}
	}
	shown := known
	if o.update {
		shown = new(finding.Baseline)
	}
	r, err := report.New(findings, coverage, report.Options{
		Version: strings.TrimPrefix(version(), "v"), Rules: rules(), Config: c, Baseline: shown, Confidence: o.confidence,
	})
	if err != nil {
		return usageError, err
	}
	if err := o.write(t, r); err != nil {
		return usageError, err
	}
	code := r.Exit(o.failOn, o.coverage)
	if !o.update {
		return code, nil
	}
	if r.Failed(o.coverage) {
		return report.CouldNotJudge, fmt.Errorf("%s stays as it is, because the run could not judge", o.baseline)
	}
	if err := known.Update(r.Findings, r.Judged).Write(o.baseline); err != nil {
		return usageError, err
	}
	fmt.Fprintf(t.err, "%s: %d findings of this run are known now\n", o.baseline, len(r.Findings))
	return report.Clean, nil
}

func (o *output) write(t *terminal, r *report.Report) error {
	var text bytes.Buffer
	var err error
	switch o.format {
	case "json":
		err = r.JSON(&text)
	case "sarif":
		err = r.SARIF(&text, o.place())
	default:
		err = r.Text(&text, o.file == "" && colored(t.out))
	}
	if err != nil {
		return err
	}
	if o.file != "" {
		return os.WriteFile(o.file, text.Bytes(), 0o666)
	}
	_, err = t.out.Write(text.Bytes())
	return err
}

// place returns the file at which SARIF places what is in no file.
func (o *output) place() string {
	if o.config != "" {
		return o.config
	}
	return config.File
}

// colored reports whether w is a terminal whose user did not ask for text without
// colors; see no-color.org.
func colored(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
