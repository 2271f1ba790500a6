package chaos_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var broken = flag.Bool("broken", false, "build package txn in broken ways, each of which a run must catch")

// breakage is a way to break package txn that might look right.
type breakage struct {
	name    string
	file    string
	old     string
	new     string
	engines []string // on which it shows
	want    []string // one of them is in what a run prints
	args    []string // for a run that meets it more often
}

var both = []string{"postgresql", "cockroachdb"}

var breakages = []breakage{
	{
		name: "retry after an unknown outcome", file: "end.go",
		old:     "if c.idempotent && ctx.Err() == nil",
		new:     "if ctx.Err() == nil",
		engines: both,
		want:    []string{"it has its effect 2 times"},
	},
	{
		name: "trust in SafeToRetry at COMMIT", file: "internal/outcome/errors.go",
		old:     "return pgconn.SafeToRetry(err) && !errors.Is(err, pgconn.ErrConnClosed)",
		new:     "return pgconn.SafeToRetry(err)",
		engines: both,
		want:    []string{"told rolled back, and it has an effect", "it has its effect 2 times"},
	},
	{
		name: "57014 at COMMIT taken for rolled back", file: "internal/outcome/rules.go",
		old:     "(pe.Code == pgerr.InFailedTransaction ||",
		new:     "(pe.Code == pgerr.InFailedTransaction || pe.Code == pgerr.QueryCanceled ||",
		engines: []string{"cockroachdb"},
		want:    []string{"told rolled back, and it has an effect"},
	},
	{
		name: "OnCommit before COMMIT", file: "run.go",
		old:     "\t\tres = c.commit(at.ctx, at)\n",
		new:     "\t\trunHooks(ctx, c.name, at.hooks)\n\t\tat.hooks = nil\n\t\tres = c.commit(at.ctx, at)\n",
		engines: both,
		want:    []string{"and OnCommit ran"},
	},
	{
		name: "a swallowed error of COMMIT", file: "end.go",
		old:     "\tif became == outcome.Unknown && c.readOnly {\n",
		new:     "\tif e.CommitSent {\n\t\tbecame = outcome.Committed\n\t}\n\tif became == outcome.Unknown && c.readOnly {\n",
		engines: both,
		want:    []string{"told committed, and it has no effect"},
	},
	{
		name: "Once resolved by SELECT", file: "end.go",
		old: "\tif became == outcome.Unknown && c.readOnly {\n",
		new: `	if became == outcome.Unknown && c.once != nil {
		if conn, err := pgx.ConnectConfig(ctx, at.conn.Config()); err == nil {
			var there bool
			err = conn.QueryRow(ctx, "select count(*) > 0 from rowkeeper_ledger where namespace = $1 and key = $2", c.once.Namespace, c.once.Key).Scan(&there)
			conn.Close(ctx)
			if err == nil && !there {
				return c.discarded(at, e.Err)
			}
		}
	}
	if became == outcome.Unknown && c.readOnly {
`,
		engines: both,
		want:    []string{"told rolled back, and it has an effect"},
		args:    []string{"-work", "once"},
	},
}

// TestBrokenBuildsAreCaught tests copies of this module whose package txn is
// broken. It takes minutes, so it needs the flag -broken: make chaos-broken.
func TestBrokenBuildsAreCaught(t *testing.T) {
	if !*broken {
		t.Skip("takes minutes: make chaos-broken")
	}
	for _, b := range breakages {
		t.Run(b.name, func(t *testing.T) {
			program := build(t, b)
			for _, engine := range b.engines {
				t.Run(engine, func(t *testing.T) {
					begun := time.Now()
					out, err := storm(t.Context(), program, engine, b.args)
					require.Error(t, err, "not caught:\n%s", out)
					require.Contains(t, out, "WRONG: ")
					require.True(t, containsOne(out, b.want), "none of %q in:\n%s", b.want, out)
					t.Logf("caught in %v:\n%s", time.Since(begun).Round(time.Second), findings(out))
				})
			}
		})
	}
}

// TestEveryBreakageStillApplies keeps the breakages in step with the code, without
// running them. With -short it does not compile them either.
func TestEveryBreakageStillApplies(t *testing.T) {
	for _, b := range breakages {
		if testing.Short() {
			source, err := os.ReadFile(filepath.Join("..", "..", "..", "txn", b.file))
			require.NoError(t, err)
			require.Equal(t, 1, strings.Count(string(source), b.old), "%s: %q", b.name, b.old)
			continue
		}
		build(t, b)
	}
}

// build builds the program with a file of package txn replaced by a broken one.
func build(t *testing.T, b breakage) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("..", "..", "..", "txn", b.file))
	require.NoError(t, err)
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(source), b.old), "%s: %q in %s", b.name, b.old, b.file)
	temp := t.TempDir()
	broken, overlay, program := filepath.Join(temp, "broken.go"), filepath.Join(temp, "overlay.json"), filepath.Join(temp, "chaos")
	require.NoError(t, os.WriteFile(broken, []byte(strings.Replace(string(source), b.old, b.new, 1)), 0o644))
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {file: broken}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, replace, 0o644))
	out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", program, "./cmd").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

func storm(ctx context.Context, program, engine string, args []string) (string, error) {
	args = append([]string{"-short", "-transactions", "4000", "-cuts", "300", "-engine", engine, "-seed", "7"}, args...)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func containsOne(out string, of []string) bool {
	for _, text := range of {
		if strings.Contains(out, text) {
			return true
		}
	}
	return false
}

// findings returns the first finding, and the number of findings.
func findings(out string) string {
	var shown []string
	wrong := 0
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "WRONG: ") {
			wrong++
		}
		if wrong == 1 && (strings.HasPrefix(line, "WRONG: ") || strings.HasPrefix(line, " ")) ||
			strings.Contains(line, "wrong claims on") {
			shown = append(shown, line)
		}
	}
	return strings.Join(shown, "")
}
