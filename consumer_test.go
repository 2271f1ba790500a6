package rowkeeper_test

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const rootModule = "github.com/rowkeeper/rowkeeper"

// TestConsumersBuildAgainstTheTree builds and runs, for every module that users
// import, the program in testdata/consumers: in an empty directory, with the
// modules as they would be downloaded if this tree was tagged now. Neither
// the replace lines nor the files that Git ignores are available there.
func TestConsumersBuildAgainstTheTree(t *testing.T) {
	if testing.Short() {
		t.Skip("builds everything anew; not with -short")
	}
	t.Parallel()
	files := treeFiles(t)
	modules := publicModules(files)
	version := nextVersion(t, modules)
	proxy := writeProxy(t, files, modules, version)

	for _, dir := range modules {
		t.Run(modulePath(dir), func(t *testing.T) {
			t.Parallel()
			program := "testdata/consumers/root/main.go"
			if dir != "." {
				program = path.Join("testdata/consumers", dir, "main.go")
			}
			source, err := os.ReadFile(program)
			require.NoError(t, err, "every public module needs a program that uses it")
			env := consumerEnv(t, proxy)
			work := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(work, "main.go"), source, 0o600))

			runGo(t, env, work, "mod", "init", "example.com/consumer")
			require.NoError(t, os.WriteFile(filepath.Join(work, "go.sum"), knownSums(t, modules), 0o600))
			get := []string{"get"}
			for _, pkg := range importsOfModule(string(source), dir, modules) {
				get = append(get, pkg+"@"+version)
			}
			require.Greater(t, len(get), 1, "%s does not import %s", program, modulePath(dir))
			runGo(t, env, work, get...)
			runGo(t, env, work, "build", "-o", "consumer", ".")

			out, err := exec.CommandContext(t.Context(), filepath.Join(work, "consumer")).CombinedOutput()
			require.NoError(t, err, "%s", out)
		})
	}
}

// TestCommandInstalls installs the command as users do.
func TestCommandInstalls(t *testing.T) {
	if testing.Short() {
		t.Skip("builds everything anew; not with -short")
	}
	t.Parallel()
	const command = "cmd/rowkeeper"
	files := treeFiles(t)
	modules := publicModules(files)
	version := nextVersion(t, modules)
	env := consumerEnv(t, writeProxy(t, files, modules, version))
	bin := t.TempDir()
	work := t.TempDir()
	runGo(t, append(env, "GOBIN="+bin, "GONOSUMDB=*", "GOFLAGS=-trimpath"), work, "install", modulePath(command)+"@"+version)
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "rowkeeper"), "version").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "rowkeeper "+version+"\n", string(out))
}

func TestDependabotKnowsEveryModule(t *testing.T) {
	t.Parallel()
	config, err := os.ReadFile(".github/dependabot.yml")
	require.NoError(t, err)
	for _, name := range treeFiles(t) {
		if path.Base(name) == "go.mod" {
			require.Contains(t, string(config), "\n    directory: "+path.Join("/", path.Dir(name))+"\n")
		}
	}
}

// treeFiles returns the files that Git has or would add, as in a commit of the
// tree as it is.
func treeFiles(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "-co", "--exclude-standard").Output()
	if err != nil {
		t.Skip("this is no Git work tree: which files belong to a module is not known")
	}
	var files []string
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		// Files that are deleted but not yet committed are still listed. Symbolic
		// links are in no module.
		if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
			files = append(files, name)
		}
	}
	return files
}

// publicModules returns the directories of the modules that users import. Modules
// under internal and examples are never tagged.
func publicModules(files []string) []string {
	var dirs []string
	for _, name := range files {
		if path.Base(name) == "go.mod" && !slices.ContainsFunc(strings.Split(name, "/"), isPrivate) {
			dirs = append(dirs, path.Dir(name))
		}
	}
	return dirs
}

func isPrivate(element string) bool {
	return element == "internal" || element == "examples" || element == "testdata"
}

func modulePath(dir string) string { return path.Join(rootModule, dir) }

// nextVersion returns the version of the root module that the nested ones
// require, which is the next one to be tagged.
func nextVersion(t *testing.T, modules []string) string {
	t.Helper()
	version := ""
	for _, dir := range modules {
		if dir == "." {
			continue
		}
		mod, err := os.ReadFile(path.Join(dir, "go.mod"))
		require.NoError(t, err)
		found := regexp.MustCompile(`(?m)^(?:require)?\s+` + regexp.QuoteMeta(rootModule) + ` (v\S+)`).FindSubmatch(mod)
		if found == nil { // as the command
			require.NotContains(t, string(mod), "replace ", "%s/go.mod: go install refuses a module with replace lines", dir)
			continue
		}
		require.Regexp(t, `^v\d+\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?$`, string(found[1]), "%s/go.mod: nobody can download this version of the root module", dir)
		if version == "" {
			version = string(found[1])
		}
		require.Equal(t, version, string(found[1]), "%s/go.mod: all nested modules require the same version of the root module", dir)
	}
	require.NotEmpty(t, version, "there is no nested module")
	return version
}

// writeProxy makes a module proxy of the tree in a directory, with the modules at
// the version and nothing else, and returns its URL. Its layout is described at
// https://go.dev/ref/mod#goproxy-protocol.
func writeProxy(t *testing.T, files, modules []string, version string) string {
	t.Helper()
	proxy := t.TempDir()
	for _, dir := range modules {
		at := filepath.Join(proxy, modulePath(dir), "@v")
		require.NoError(t, os.MkdirAll(at, 0o700))
		info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC().Truncate(time.Second)})
		require.NoError(t, err)
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		require.NoError(t, err)
		for name, content := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": info, version + ".mod": mod} {
			require.NoError(t, os.WriteFile(filepath.Join(at, name), content, 0o600))
		}
		writeModuleZip(t, filepath.Join(at, version+".zip"), dir, files, version)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(proxy)}).String()
}

// writeModuleZip writes the files that are in the module, and in no module nested
// in it.
func writeModuleZip(t *testing.T, name, dir string, files []string, version string) {
	t.Helper()
	out, err := os.Create(name)
	require.NoError(t, err)
	archive := zip.NewWriter(out)
	for _, file := range files {
		if moduleOf(file, files) != dir {
			continue
		}
		w, err := archive.Create(modulePath(dir) + "@" + version + "/" + strings.TrimPrefix(file, strings.TrimPrefix(dir+"/", "./")))
		require.NoError(t, err)
		in, err := os.Open(file)
		require.NoError(t, err)
		_, err = io.Copy(w, in)
		require.NoError(t, err)
		require.NoError(t, in.Close())
	}
	require.NoError(t, archive.Close())
	require.NoError(t, out.Close())
}

// moduleOf returns the directory of the innermost module that has the file.
func moduleOf(file string, files []string) string {
	dir := path.Dir(file)
	for dir != "." && !slices.Contains(files, path.Join(dir, "go.mod")) {
		dir = path.Dir(dir)
	}
	return dir
}

// consumerEnv returns an environment in which go sees nothing of the tree except
// its proxy. The module cache is new, so that the modules made here stay out of
// the user's cache, whose downloads serve as a proxy for all other modules.
// Modules missing there come from the user's proxy. No two tests share a cache: go
// get, run twice at once on an empty one, now and then finds no package in a
// nested module.
func consumerEnv(t *testing.T, proxy string) []string {
	t.Helper()
	user := runGo(t, os.Environ(), ".", "env", "GOMODCACHE", "GOPROXY")
	lines := bufio.NewScanner(strings.NewReader(user))
	require.True(t, lines.Scan())
	cache := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(lines.Text(), "cache", "download"))}
	require.True(t, lines.Scan())
	env := append(os.Environ(),
		"GOPROXY="+strings.Join([]string{proxy, cache.String(), lines.Text()}, ","),
		"GOMODCACHE="+t.TempDir(),
		"GONOSUMDB="+rootModule+","+rootModule+"/*", // the checksum database has never seen these
		"GONOPROXY=none",                            // or GOPRIVATE could send go to GitHub
		// The build cache then serves packages although the module cache moves each time.
		"GOFLAGS=-trimpath -buildvcs=false",
		"GOWORK=off", "GO111MODULE=on")
	// Modules are extracted read-only, which t.TempDir cannot remove.
	t.Cleanup(func() {
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "go", "clean", "-modcache")
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go clean -modcache: %v\n%s", err, out)
		}
	})
	return env
}

// importsOfModule returns the packages of the module, or of the root module, that
// the program imports.
func importsOfModule(source, dir string, modules []string) []string {
	var imports []string
	for _, found := range regexp.MustCompile(`"(`+regexp.QuoteMeta(rootModule)+`[^"]*)"`).FindAllStringSubmatch(source, -1) {
		nested := slices.ContainsFunc(modules, func(m string) bool {
			return m != "." && m != dir && strings.HasPrefix(found[1]+"/", modulePath(m)+"/")
		})
		if strings.HasPrefix(found[1]+"/", modulePath(dir)+"/") && !nested {
			imports = append(imports, found[1])
		}
	}
	return imports
}

// knownSums returns the checksums of all modules that this one and the nested
// ones use, so that go verifies them without asking the checksum database.
func knownSums(t *testing.T, modules []string) []byte {
	t.Helper()
	var sums []byte
	for _, dir := range modules {
		content, err := os.ReadFile(filepath.Join(dir, "go.sum"))
		require.NoError(t, err)
		sums = append(sums, content...)
	}
	return sums
}

func runGo(t *testing.T, env []string, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env, cmd.Dir = env, dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go %s\n%s", fmt.Sprint(args), stderr.String())
	return string(out)
}
