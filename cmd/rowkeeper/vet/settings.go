package vet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
)

// settings are the options, completed from the files when the first package is seen.
type settings struct {
	options Options
	once    sync.Once
	err     error
	owned   map[string]ownedTable // by name
	schema  map[string]*config.Table
	engine  string
}

// An ownedTable has its owner's columns, or the tables that it belongs to.
type ownedTable struct {
	owner   []string
	parents []string
}

// retry returns the runners that the configuration names.
func (s *settings) retry() []string {
	c := s.options.Config
	if c == nil {
		dir, err := os.Getwd()
		if err != nil {
			return nil
		}
		if c, _, err = nearest(dir); err != nil {
			return nil // load reports it
		}
	}
	return c.Retry
}

func (s *settings) load(pass *analysis.Pass) error {
	s.once.Do(func() {
		dir := filepath.Dir(pass.Fset.File(pass.Files[0].Pos()).Name())
		s.err = s.read(dir)
	})
	return s.err
}

func (s *settings) read(dir string) error {
	c, at := s.options.Config, s.options.at
	if c == nil {
		var err error
		if c, at, err = nearest(dir); err != nil {
			return err
		}
	}
	schema := s.options.Schema
	if schema == nil && c.Schema != "" {
		schema = new(config.Schema)
		text, err := os.ReadFile(filepath.Join(at, c.Schema))
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, schema); err != nil {
			return fmt.Errorf("%s: %w", c.Schema, err)
		}
	}
	s.owned, s.schema = map[string]ownedTable{}, map[string]*config.Table{}
	if schema != nil {
		s.engine = schema.Engine
		for i, table := range schema.Tables {
			s.schema[strings.ToLower(table.Name)] = &schema.Tables[i]
			if len(table.Owner) > 0 || len(table.Parents) > 0 {
				s.owned[strings.ToLower(table.Name)] = ownedTable{lower(table.Owner), unqualified(table.Parents)}
			}
		}
	}
	for table, column := range c.Owned {
		s.owned[unqualified([]string{table})[0]] = ownedTable{owner: lower([]string{column})}
	}
	return nil
}

// nearest reads the rowkeeper.yaml in dir or the nearest directory above it, up to the
// one of the module.
func nearest(dir string) (c *config.Config, at string, err error) {
	for {
		c, err := config.Read(filepath.Join(dir, config.File), true)
		if err == nil {
			return c, dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, "", err
		}
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || filepath.Dir(dir) == dir {
			return new(config.Config), dir, nil
		}
		dir = filepath.Dir(dir)
	}
}

func lower(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.ToLower(name)
	}
	return out
}

func unqualified(names []string) []string {
	out := lower(names)
	for i, name := range out {
		out[i] = name[strings.LastIndexByte(name, '.')+1:]
	}
	return out
}
