package dbtest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ExampleURL is the environment variable in which examples find their database, as a
// service would. [Main] sets it to a fresh schema on the preferred engine if an example
// that reads it is about to run. What it was before does not count: it may be a database
// with data.
const ExampleURL = "DATABASE_URL"

// serveExamples sets ExampleURL. Examples run one by one after the tests, so the schema
// is theirs alone; it stays until the test binary ends.
func serveExamples() error {
	if err := os.Unsetenv(ExampleURL); err != nil {
		return err
	}
	names, err := exampleNames(".")
	if err != nil || !slices.ContainsFunc(names, selected()) {
		return err
	}
	found, err := sources()
	if err != nil {
		return err
	}
	srv, err := server(found[0])
	if err != nil {
		return err
	}
	schema, err := createSchema(context.Background(), srv)
	if err != nil {
		return err
	}
	examples = append(examples, func() error { return drop(srv, schema) })
	return os.Setenv(ExampleURL, withSearchPath(srv.URL, schema))
}

var exampleFunc = regexp.MustCompile(`(?m)^func (Example\w*)\(\)`)

// exampleNames returns the examples of the files in a folder that read ExampleURL.
func exampleNames(dir string) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(source, []byte(`Getenv("`+ExampleURL+`")`)) {
			continue
		}
		for _, m := range exampleFunc.FindAllSubmatch(source, -1) {
			names = append(names, string(m[1]))
		}
	}
	return names, nil
}

// selected returns whether the flags of the test select an example by its name. It may
// be mistaken where they do not, and then a database starts in vain.
func selected() func(name string) bool {
	value := func(name string) string {
		if f := flag.Lookup("test." + name); f != nil {
			return f.Value.String()
		}
		return ""
	}
	if value("list") != "" || value("fuzzworker") == "true" {
		return func(string) bool { return false }
	}
	return selects(value("run"))
}

// selects interprets the flag -run, of which only the first element of each alternative
// is about examples.
func selects(pattern string) func(name string) bool {
	var first []string
	for alternative := range strings.SplitSeq(pattern, "|") {
		element, _, _ := strings.Cut(alternative, "/")
		first = append(first, element)
	}
	re, err := regexp.Compile(strings.Join(first, "|"))
	if err != nil { // a bracket was cut in two
		return func(string) bool { return true }
	}
	return re.MatchString
}

// withSearchPath returns a connection string whose connections use a schema.
func withSearchPath(conn, schema string) string {
	u, err := url.Parse(conn)
	if err != nil || u.Scheme == "" { // keywords and values
		return fmt.Sprintf("%s search_path=%s", conn, schema)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}
