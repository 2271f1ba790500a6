package chaos_test

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
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
		name: "retry after an unknown outcome", file: "run.go",
		old:     "if c.idempotent && ctx.Err() == nil",
		new:     "if ctx.Err() == nil",
		engines: both,
		want:    []string{"it has its effect 2 times"},
	},
	{
		name: "trust in SafeToRetry at COMMIT", file: "classify.go",
		old:     "return pgconn.SafeToRetry(err) && !errors.Is(err, pgconn.ErrConnClosed)",
		new:     "return pgconn.SafeToRetry(err)",
		engines: both,
		want:    []string{"told rolled back, and it has an effect", "it has its effect 2 times"},
	},
	{
		name: "57014 at COMMIT taken for rolled back", file: "classify.go",
		old:     "(pe.Code == codeInFailedTransaction ||",
		new:     "(pe.Code == codeInFailedTransaction || pe.Code == codeQueryCanceled ||",
		engines: []string{"cockroachdb"},
		want:    []string{"told rolled back, and it has an effect"},
	},
	{
		name: "OnCommit before COMMIT", file: "run.go",
		old:     "\t\tres = c.commit(ctx, at)\n",
		new:     "\t\trunHooks(ctx, c.name, at.hooks)\n\t\tat.hooks = nil\n\t\tres = c.commit(ctx, at)\n",
		engines: both,
		want:    []string{"and OnCommit ran"},
	},
	{
		name: "a swallowed error of COMMIT", file: "run.go",
		old:     "\tif outcome == unknown && c.readOnly {\n",
		new:     "\tif e.commitSent {\n\t\toutcome = committed\n\t}\n\tif outcome == unknown && c.readOnly {\n",
		engines: both,
		want:    []string{"told committed, and it has no effect"},
	},
	{
		name: "Once resolved by SELECT", file: "run.go",
		old: "\tif outcome == unknown && c.readOnly {\n",
		new: `	if outcome == unknown && c.once != nil {
		if conn, err := pgx.ConnectConfig(ctx, at.conn.Config()); err == nil {
			var there bool
			err = conn.QueryRow(ctx, "select count(*) > 0 from rowkeeper_ledger where namespace = $1 and key = $2", c.once.namespace, c.once.key).Scan(&there)
			conn.Close(ctx)
			if err == nil && !there {
				return c.discarded(at, e.err)
			}
		}
	}
	if outcome == unknown && c.readOnly {
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
// running them.
func TestEveryBreakageStillApplies(t *testing.T) {
	for _, b := range breakages {
		source, err := os.ReadFile(filepath.Join("..", "..", "..", "txn", b.file))
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(string(source), b.old), "%s: %q", b.name, b.old)
	}
}

// build builds the program from a broken copy of the module.
func build(t *testing.T, b breakage) string {
	t.Helper()
	root := filepath.Join("..", "..", "..")
	copied := t.TempDir()
	for _, part := range []string{"go.mod", "go.sum", "errs", "txn", "internal"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, part), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			if relative == filepath.Join("txn", b.file) {
				if strings.Count(string(data), b.old) != 1 {
					return fmt.Errorf("%q is not in %s once", b.old, relative)
				}
				data = []byte(strings.Replace(string(data), b.old, b.new, 1))
			}
			to := filepath.Join(copied, relative)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			return os.WriteFile(to, data, 0o644)
		}))
	}
	program := filepath.Join(copied, "chaos")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./internal/lab/chaos/cmd")
	cmd.Dir = copied
	out, err := cmd.CombinedOutput()
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
