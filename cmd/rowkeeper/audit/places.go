package audit

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
)

// places are the lines of CREATE TABLE in the files of migrations, by table: with its
// schema where the file has it.
type places map[string]place

type place struct {
	file string
	line int
}

// of returns the file and line that created the table, or "" and 0.
func (p places) of(t *catalog.Table) (file string, line int) {
	at, ok := p[strings.ToLower(t.String())]
	if !ok {
		at = p[strings.ToLower(t.Name)]
	}
	return at.file, at.line
}

// readPlaces reads the .sql files below a folder in the order of their names. The last
// CREATE TABLE of a name counts, since the earlier ones were dropped. Files that undo
// others are left out.
func readPlaces(root, folder string) (places, error) {
	p := places{}
	if folder == "" {
		return p, nil
	}
	if root == "" {
		root = "."
	}
	base := path.Clean(strings.ReplaceAll(folder, `\`, "/"))
	files := os.DirFS(root)
	if path.IsAbs(base) {
		files, root = os.DirFS("/"), "/"
		base = strings.TrimPrefix(base, "/")
	}
	err := fs.WalkDir(files, base, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".sql") || strings.HasSuffix(name, ".down.sql") {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		shown := name
		if root == "/" {
			shown = "/" + name
		}
		p.add(shown, string(text))
		return nil
	})
	var outside *fs.PathError
	if errors.As(err, &outside) && errors.Is(outside.Err, fs.ErrInvalid) {
		return nil, errors.New(folder + " is not below the working directory; give its absolute path")
	}
	return p, err
}

var (
	createTable = regexp.MustCompile(`(?i)\bcreate\s+(?:unlogged\s+|global\s+|foreign\s+)?table\s+(?:if\s+not\s+exists\s+)?((?:"[^"]+"|[\pL_][\pL\pN_$]*)(?:\s*\.\s*(?:"[^"]+"|[\pL_][\pL\pN_$]*))*)`)
	downSection = regexp.MustCompile(`(?im)^--\s*(\+migrate\s+down|\+goose\s+down|migrate:down|---- create above / drop below ----).*$`)
)

// add records the tables that a file creates.
func (p places) add(file, text string) {
	if at := downSection.FindStringIndex(text); at != nil {
		text = text[:at[0]]
	}
	text = blank(text)
	for _, m := range createTable.FindAllStringSubmatchIndex(text, -1) {
		parts := strings.Split(strings.ReplaceAll(text[m[2]:m[3]], `"`, ""), ".")
		for i := range parts {
			parts[i] = strings.ToLower(strings.TrimSpace(parts[i]))
		}
		at := place{file, 1 + strings.Count(text[:m[0]], "\n")}
		p[parts[len(parts)-1]] = at
		if len(parts) > 1 {
			p[strings.Join(parts[len(parts)-2:], ".")] = at
		}
	}
}

// blank replaces comments and strings by spaces, and keeps the lines.
func blank(text string) string {
	out := []byte(text)
	space := func(from, to int) {
		for i := from; i < to && i < len(out); i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	for i := 0; i < len(text); {
		end := 0
		switch rest := text[i:]; {
		case strings.HasPrefix(rest, "--"):
			end = until(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			end = 2 + until(rest[2:], "*/")
		case rest[0] == '\'':
			end = 1 + until(rest[1:], "'")
		}
		space(i, i+end)
		i += max(end, 1)
	}
	return string(out)
}

// until returns the index behind the end, or the length without one.
func until(text, end string) int {
	if i := strings.Index(text, end); i >= 0 {
		return i + len(end)
	}
	return len(text)
}
