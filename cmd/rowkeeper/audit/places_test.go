package audit

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
)

func TestPlaces(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{
		"db/001.up.sql": "-- create table commented (id int);\n\nCREATE TABLE IF NOT EXISTS \"Users\" (\n\tid int\n);\n/* create table\nx (id int) */\n" +
			"create table app.orders (note text default 'create table quoted (id int)');",
		"db/001.down.sql":   "create table undone (id int);",
		"db/sub/002.sql":    "create unlogged table orders (id int);\n-- +migrate Down\ncreate table back (id int);",
		"db/readme.txt":     "create table text (id int);",
		"elsewhere/003.sql": "create table elsewhere (id int);",
	} {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := readPlaces(root, "./db/")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		schema, table, file string
		line                int
	}{
		{"public", "users", "db/001.up.sql", 3},
		{"app", "orders", "db/001.up.sql", 8},
		{"public", "orders", "db/sub/002.sql", 1},
		{"public", "commented", "", 0}, {"public", "x", "", 0}, {"public", "quoted", "", 0}, {"public", "undone", "", 0},
		{"public", "back", "", 0}, {"public", "text", "", 0}, {"public", "elsewhere", "", 0},
	} {
		file, line := p.of(&catalog.Table{Schema: c.schema, Name: c.table})
		if file != c.file || line != c.line {
			t.Errorf("%s.%s is at %s:%d, want %s:%d", c.schema, c.table, file, line, c.file, c.line)
		}
	}
}

func TestPlacesOfOtherFolders(t *testing.T) {
	t.Parallel()
	if p, err := readPlaces("", ""); err != nil || len(p) != 0 {
		t.Errorf("without a folder: %v, %v", p, err)
	}
	if _, err := readPlaces(t.TempDir(), "is_not_there"); err == nil {
		t.Error("a folder that does not exist is no error")
	}
	if _, err := readPlaces(t.TempDir(), "../beside"); err == nil {
		t.Error("a folder outside is no error")
	}
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a.sql"), []byte("create table users (id int);"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := readPlaces("", root)
	if file, line := p.of(&catalog.Table{Name: "users"}); err != nil || file != filepath.ToSlash(filepath.Join(root, "a.sql")) || line != 1 {
		t.Errorf("by an absolute path: %s:%d, %v", file, line, err)
	}
}
