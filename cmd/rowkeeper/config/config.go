// Package config reads rowkeeper.yaml, which is optional, as everything in it is.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"time"

	"go.yaml.in/yaml/v4"
)

// File is the name of the file that is read from the working directory.
const File = "rowkeeper.yaml"

// A Config is a rowkeeper.yaml.
type Config struct {
	Owned      map[string]string   `yaml:"owned"`      // table to owner column, beside those that are found
	Principals []string            `yaml:"principals"` // tables of users or tenants
	Retry      []string            `yaml:"retry"`      // functions that retry their argument: "example.com/db.WithRetry"
	Role       string              `yaml:"role"`       // the service's role in the database
	Migrations string              `yaml:"migrations"` // a folder with .sql files
	Schema     string              `yaml:"schema"`     // what audit exported
	Ignore     []Ignore            `yaml:"ignore"`
	Probe      Probe               `yaml:"probe"`
	Severity   map[string]Severity `yaml:"severity"` // by rule
}

// Severity is the name of a severity, or "off".
type Severity string

// An Ignore suppresses findings. It needs a reason.
type Ignore struct {
	Rule   string `yaml:"rule"`
	Object string `yaml:"object"` // as in a finding's place; * stands for any text
	Reason string `yaml:"reason"`
}

// Probe configures probe.
type Probe struct {
	Spec       string                `yaml:"spec"`       // the OpenAPI document
	URL        string                `yaml:"url"`        // of the service
	Principals map[string]Credential `yaml:"as"`         // two, such as alice and bob
	Shared     []string              `yaml:"shared"`     // path templates whose objects all may see
	Recipients []string              `yaml:"recipients"` // properties that may name another's object, such as to_account
	Limits     Limits                `yaml:"limits"`
}

// A Credential tells how to get the headers of one principal.
type Credential struct {
	Header   map[string]string `yaml:"header"` // sent as they are
	Exec     []string          `yaml:"exec"`   // a command that prints headers, a line each
	Login    *Login            `yaml:"login"`
	Register *Login            `yaml:"register"` // before Login, once
}

// A Login is a request whose response has a token.
type Login struct {
	Operation string            `yaml:"operation"` // "POST /login"
	Body      map[string]any    `yaml:"body"`
	Form      map[string]string `yaml:"form"`   // instead of Body
	Token     string            `yaml:"token"`  // a JSON Pointer into the response, "/access_token"
	Header    string            `yaml:"header"` // with the token as {token}: "Authorization: Bearer {token}", the default
}

// Limits bounds a run of probe.
type Limits struct {
	Requests int           `yaml:"requests"` // 2,000 if 0
	Time     time.Duration `yaml:"time"`     // 120 s if 0
}

// Read reads the file. If it does not exist, the result is the zero value, unless
// the file is required.
func Read(name string, required bool) (*Config, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !required {
		return new(Config), nil
	}
	if err != nil {
		return nil, err
	}
	c, err := Parse(text, os.LookupEnv)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// Parse reads the text of a file. ${NAME} stands for a variable of the environment,
// within a value; one that is not set is an error.
func Parse(text []byte, env func(string) (string, bool)) (*Config, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, err
	}
	if err := expand(&root, env); err != nil {
		return nil, err
	}
	expanded, err := yaml.Marshal(&root)
	if err != nil {
		return nil, err
	}
	c := new(Config)
	d := yaml.NewDecoder(bytes.NewReader(expanded))
	d.KnownFields(true)
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return c, c.check()
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand replaces the variables in the scalars below n.
func expand(n *yaml.Node, env func(string) (string, bool)) error {
	var failed error
	if n.Kind == yaml.ScalarNode && variable.MatchString(n.Value) {
		n.Value = variable.ReplaceAllStringFunc(n.Value, func(ref string) string {
			name := ref[2 : len(ref)-1]
			value, ok := env(name)
			if !ok {
				failed = fmt.Errorf("line %d: the environment has no %s", n.Line, name)
			}
			return value
		})
		n.Tag, n.Style = "!!str", yaml.DoubleQuotedStyle
	}
	for _, child := range n.Content {
		failed = errors.Join(failed, expand(child, env))
	}
	return failed
}

func (c *Config) check() error {
	var problems []error
	for i, ignore := range c.Ignore {
		switch {
		case ignore.Reason == "":
			problems = append(problems, fmt.Errorf("ignore, entry %d: a reason is missing", i+1))
		case ignore.Rule == "" && ignore.Object == "":
			problems = append(problems, fmt.Errorf("ignore, entry %d: name a rule or an object", i+1))
		}
	}
	for name, credential := range c.Probe.Principals {
		ways := 0
		for _, given := range []bool{credential.Header != nil, credential.Exec != nil, credential.Login != nil} {
			if given {
				ways++
			}
		}
		if ways != 1 {
			problems = append(problems, fmt.Errorf("probe, as %s: give one of header, exec and login", name))
		}
	}
	if n := len(c.Probe.Principals); n != 0 && n != 2 {
		problems = append(problems, fmt.Errorf("probe, as: %d principals; two are needed", n))
	}
	return errors.Join(problems...)
}
