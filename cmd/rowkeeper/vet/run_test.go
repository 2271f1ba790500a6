package vet

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// asTool makes the test binary a vet tool, as the command is.
const asTool = "ROWKEEPER_TEST_VET_TOOL"

func TestMain(m *testing.M) {
	if os.Getenv(asTool) != "" && IsVetTool(os.Args[1:]) {
		VetTool()
	}
	os.Exit(m.Run())
}

// module writes a module with one faulty package, which needs the standard library only.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module example.com/shop\n\ngo 1.25\n"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const shop = `package shop

import (
	"database/sql"

	"example.com/shop/store"
)

func Save(db *sql.DB, id int) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := store.Write(db, id); err != nil {
		return err
	}
	tx.Commit()
	return nil
}
`

const store = `package store

import "database/sql"

func Write(db *sql.DB, id int) error {
	_, err := db.Exec("update goods set name = 'x' where id = $1", id)
	return err
}
`

func shopFiles() map[string]string {
	return map[string]string{"shop.go": shop, "store/store.go": store}
}

func ids(findings []finding.Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Rule)
	}
	return strings.Join(all, " ")
}

func TestRun(t *testing.T) {
	t.Parallel()
	files := shopFiles()
	files["broken/broken.go"] = "package broken\n\nfunc f() int { return \"\" }\n"
	files[config.File] = "owned:\n  goods: shop_id\n"
	dir := module(t, files)
	findings, coverage, err := Run(t.Context(), dir, []string{"./..."}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(findings); got != "RKV01 RKV04 RKV09" {
		t.Fatalf("found %s", got)
	}
	pool := findings[0]
	if pool.Place.File != "shop.go" || pool.Place.Line != 15 || pool.Place.Object != "example.com/shop.Save" {
		t.Errorf("place %+v", pool.Place)
	}
	if pool.Confidence != finding.Strong || pool.Severity != finding.High || pool.Remedy.Text == "" {
		t.Errorf("finding %+v", pool)
	}
	if sql := findings[2].Evidence[0]; sql.Kind != finding.SQL || !strings.HasPrefix(sql.Text, "update goods") {
		t.Errorf("evidence %+v", sql)
	}
	if got := coverage.Reached(); got < 0.6 || got > 0.7 {
		t.Errorf("reached %v of %v; two of three packages compile", got, coverage.Subjects)
	}
	if coverage.Rules["RKV09"] != "" {
		t.Errorf("RKV09 was not judged: %s", coverage.Rules["RKV09"])
	}
}

// A finding is the same one after lines were added above it.
func TestFingerprintHasNoLine(t *testing.T) {
	t.Parallel()
	print := func(files map[string]string) string {
		findings, coverage, err := Run(t.Context(), module(t, files), []string{"./..."}, Options{Config: new(config.Config)})
		if err != nil || len(findings) == 0 {
			t.Fatal(findings, err)
		}
		if coverage.Rules["RKV09"] == "" {
			t.Error("RKV09 counts as judged without an owned table")
		}
		return findings[0].Fingerprint()
	}
	before := print(shopFiles())
	moved := shopFiles()
	moved["shop.go"] = strings.Replace(shop, "func Save", "// Save saves.\n//\n// It is wrong.\nfunc Save", 1)
	if after := print(moved); after != before {
		t.Errorf("the fingerprint was %s, and is %s", before, after)
	}
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	files := shopFiles()
	files[config.File] = "unknown: 1\n"
	if _, _, err := Run(t.Context(), module(t, files), []string{"./..."}, Options{}); err == nil {
		t.Error("a configuration that cannot be read is accepted")
	}
	_, coverage, err := Run(t.Context(), module(t, map[string]string{"a.go": "package a\n\nvar x int = \"\"\n"}), []string{"./..."}, Options{})
	if err != nil || coverage.Failure == "" || coverage.Reached() != 0 {
		t.Errorf("nothing compiles, and the coverage is %+v, %v", coverage, err)
	}
}

// TestVetTool runs go vet with the test binary as its tool, with facts between packages
// and the configuration of the module.
func TestVetTool(t *testing.T) {
	t.Parallel()
	files := shopFiles()
	files[config.File] = "owned:\n  goods: shop_id\n"
	cmd := exec.Command("go", "vet", "-vettool="+os.Args[0], "./...")
	cmd.Dir = module(t, files)
	cmd.Env = append(os.Environ(), asTool+"=1", "GOFLAGS=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err == nil {
		t.Error("go vet finds nothing")
	}
	for _, want := range []string{"shop.go:15:12: RKV01 pool-in-tx: Write sends", "shop.go:18:2: RKV04", "store.go:6:12: RKV09"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestIsVetTool(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]bool{"": false, "-V=full": true, "-flags": true, "-json /tmp/vet.cfg": true, "vet ./...": false} {
		if got := IsVetTool(strings.Fields(args)); got != want {
			t.Errorf("IsVetTool(%s) = %v", args, got)
		}
	}
}

// TestRulesAreComplete checks what the report, the documentation and SARIF need.
func TestRulesAreComplete(t *testing.T) {
	t.Parallel()
	rules, err := finding.Join(Rules())
	if err != nil {
		t.Fatal(err)
	}
	if len(rules) != 18 {
		t.Errorf("%d rules", len(rules))
	}
	for _, r := range rules {
		if r.ID != rule00.ID && (r.Bad == "" || r.Good == "" || r.Silent == "") {
			t.Errorf("%s has no example, or does not say when it is silent", r.ID)
		}
	}
}
