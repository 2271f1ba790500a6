package vet

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
)

// IsVetTool reports whether the arguments of the command, without its name, are those
// of a tool that go vet runs: go vet -vettool=$(which rowkeeper) ./...
func IsVetTool(args []string) bool {
	if len(args) == 0 {
		return false
	}
	last := args[len(args)-1]
	return strings.HasSuffix(last, ".cfg") || last == "-V=full" || last == "-flags"
}

// VetTool does what go vet asks for, and exits.
func VetTool() {
	if os.Args[len(os.Args)-1] == "-V=full" {
		if err := printVersion(os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "rowkeeper:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	unitchecker.Main(Analyzers()...)
}

// printVersion prints what go vet keys its cache by: the program, and the configuration
// that it reads.
func printVersion(w io.Writer) error {
	name, err := os.Executable()
	if err != nil {
		return err
	}
	hash := sha256.New()
	if err := addFile(hash, name); err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	c, at, err := nearest(dir)
	if err != nil {
		return err
	}
	for _, file := range []string{config.File, c.Schema} {
		if file == "" {
			continue
		}
		if err := addFile(hash, filepath.Join(at, file)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "%s version devel comments-go-here buildID=%02x\n", filepath.Base(name), hash.Sum(nil))
	return err
}

func addFile(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
