package rowkeeper_test

import (
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// programs returns the complete programs in package comments, by the file that
// contains them.
func programs(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() && path != ".":
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
				return fs.SkipDir // another module
			}
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				return err
			}
			for _, block := range new(comment.Parser).Parse(file.Doc.Text()).Content {
				if code, ok := block.(*comment.Code); ok && strings.HasPrefix(code.Text, "package ") {
					found[path] = code.Text
				}
			}
		}
		return nil
	}))
	return found
}

// Users copy the programs in package comments.
func TestProgramsInPackageCommentsCompile(t *testing.T) {
	t.Parallel()
	found := programs(t)
	require.NotEmpty(t, found)
	for path, source := range found {
		name := "main.go"
		if strings.Contains(source, "*testing.T") {
			name = "main_test.go"
		}
		file := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
		out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput()
		require.NoError(t, err, "%s: %s", path, out)
	}
}
