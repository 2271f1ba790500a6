package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
)

// runCommand runs a command line.
func runCommand(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

// inModule makes a module with one file the working directory.
func inModule(t *testing.T, source string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/shop\n\ngo 1.25\n", "shop.go": source} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	t.Chdir(dir)
}

const dropsCommit = `package shop

import (
	"context"
	"database/sql"
)

func Pay(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "insert into payments values (1)"); err != nil {
		return err
	}
	tx.Commit()
	return nil
}
`

func TestEveryRuleIsComplete(t *testing.T) {
	t.Parallel()
	require.Len(t, rules(), 18+18+18) // the rules of vet, with that of its own comments; of audit; of probe
	for _, r := range rules() {
		require.False(t, strings.HasSuffix(r.Title, "."), r.ID)
		code, out, errs := runCommand(t, "explain", r.Name)
		require.Zero(t, code, errs)
		require.True(t, strings.HasPrefix(out, r.ID), out)
		require.Contains(t, out, "Relates to CWE-")
	}
}

func TestWrongCommandLines(t *testing.T) {
	t.Setenv(databaseURL, "")
	t.Chdir(t.TempDir())
	for line, reason := range map[string]string{
		"":                                "usage: rowkeeper",
		"vett":                            `no command "vett"`,
		"vet -no-such-flag":               "no-such-flag",
		"vet -format xml":                 "it is text, json or sarif",
		"vet -min-coverage 2":             "from 0 to 1",
		"vet -fail-on dire":               "is not a severity",
		"vet -config missing.yaml":        "missing.yaml",
		"vet -schema missing.json":        "missing.json",
		"audit":                           "set DATABASE_URL",
		"audit public":                    "takes no arguments",
		"probe -spec openapi.yaml":        "name two principals",
		"probe http://a http://b":         "takes one URL",
		"explain":                         "name a rule",
		"explain RKX1":                    `no rule "RKX1"`,
		"rules all":                       "takes no arguments",
		"vet -update-baseline -baseline=": "needs a -baseline",
	} {
		code, _, errs := runCommand(t, strings.Fields(line)...)
		require.Equal(t, usageError, code, line)
		require.Contains(t, errs, reason, line)
	}
}

func TestVetOfAModule(t *testing.T) {
	inModule(t, dropsCommit)
	code, out, errs := runCommand(t, "vet")
	require.Equal(t, 1, code, out+errs)
	require.Contains(t, out, "RKV04 commit-ignored")
	require.Contains(t, out, "shop.go:17:")
	require.Contains(t, out, "vet: looked at 1 of 1 packages")

	code, _, _ = runCommand(t, "vet", "-fail-on", "critical")
	require.Zero(t, code)

	code, out, _ = runCommand(t, "vet", "-format", "sarif")
	require.Equal(t, 1, code)
	require.True(t, json.Valid([]byte(out)))
	require.Contains(t, out, `"ruleId": "RKV04"`)

	code, _, errs = runCommand(t, "vet", "-update-baseline")
	require.Zero(t, code, errs)
	code, out, _ = runCommand(t, "vet")
	require.Zero(t, code, out)
	require.Contains(t, out, "no findings; 1 in the baseline")
}

func TestVetOfNothingIsNotClean(t *testing.T) {
	inModule(t, "package shop\n\nfunc f() { undefined() }\n")
	code, out, _ := runCommand(t, "vet")
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "ended early")

	code, _, errs := runCommand(t, "vet", "-update-baseline")
	require.Equal(t, 3, code)
	require.Contains(t, errs, "stays as it is")
	require.NoFileExists(t, "rowkeeper.baseline.json")
}

func TestAuditOfAnUnreachableDatabaseHidesThePassword(t *testing.T) {
	t.Chdir(t.TempDir())
	code, out, errs := runCommand(t, "audit", "-db", "postgres://u:s3cret@127.0.0.1:1/d?connect_timeout=1")
	require.Equal(t, 3, code)
	require.Contains(t, out, "ended early")
	require.NotContains(t, out+errs, "s3cret")
}

func TestCheckSaysWhatItLeavesOut(t *testing.T) {
	t.Setenv(databaseURL, "")
	inModule(t, dropsCommit)
	code, _, errs := runCommand(t, "check")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "no audit")
	require.Contains(t, errs, "no probe")
}

func TestInitWritesAConfigurationOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	code, _, errs := runCommand(t, "init")
	require.Zero(t, code, errs)
	c, err := config.Read(config.File, true)
	require.NoError(t, err)
	require.Equal(t, new(config.Config), c, "all of it is a comment")

	uncommented := strings.ReplaceAll(string(template), "\n# ", "\n")
	uncommented = strings.ReplaceAll(uncommented, "# Everything", "#")
	var lines []string
	for line := range strings.Lines(uncommented) {
		if word, _, _ := strings.Cut(line, " "); strings.HasSuffix(word, ":") || strings.HasSuffix(word, ":\n") || strings.HasPrefix(line, " ") {
			lines = append(lines, line)
		}
	}
	c, err = config.Parse([]byte(strings.Join(lines, "")), func(string) (string, bool) { return "x", true })
	require.NoError(t, err, "what the comments show is right")
	require.Len(t, c.Probe.Principals, 2)

	code, _, _ = runCommand(t, "init")
	require.Equal(t, usageError, code, "nothing is overwritten")
}
