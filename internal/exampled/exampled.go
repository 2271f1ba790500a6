// Package exampled checks, for tests, that each exported name of a package is shown in
// an example, and that each example is a program that can be copied.
package exampled

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/rowkeeper/rowkeeper"

// byInterface are methods that the standard library calls, and users seldom do.
var byInterface = []string{"Error", "Is", "Unwrap", "String", "MarshalJSON", "LogValue"}

// Check fails the test unless each exported name of the package in the current folder is
// used in one of its examples, and unless each example is complete: what pkg.go.dev shows
// of it uses no other file of the package and imports nothing internal. For a type, a
// function that makes it or one of its methods is enough.
//
// exempt says why names need no example. The first name of a declaration of several
// constants stands for all of them. Check returns how many names it found.
func Check(t testing.TB, exempt map[string]string) int {
	t.Helper()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := root
	for ; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			t.Fatal("there is no go.mod")
		}
	}
	below, err := filepath.Rel(root, dir)
	if err != nil {
		t.Fatal(err)
	}
	problems, names, err := check(os.DirFS(dir), path.Join(module, filepath.ToSlash(below)), exempt)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
	return names
}

func check(dir fs.FS, importPath string, exempt map[string]string) (problems []string, names int, err error) {
	paths, err := fs.Glob(dir, "*.go")
	if err != nil {
		return nil, 0, err
	}
	fset := token.NewFileSet()
	var files, tests []*ast.File
	for _, path := range paths {
		source, err := fs.ReadFile(dir, path)
		if err != nil {
			return nil, 0, err
		}
		file, err := parser.ParseFile(fset, path, source, parser.ParseComments)
		if err != nil {
			return nil, 0, err
		}
		if strings.HasSuffix(path, "_test.go") {
			tests = append(tests, file)
		} else {
			files = append(files, file)
		}
	}
	pkg, err := doc.NewFromFiles(fset, files, importPath)
	if err != nil {
		return nil, 0, err
	}
	s := shown{importPath: importPath, name: pkg.Name, names: map[string]bool{}, members: map[string]bool{}}
	for _, example := range doc.Examples(tests...) {
		problems = append(problems, s.add(example)...)
	}
	w := wanted{shown: s, exempt: exempt, excused: map[string]bool{}}
	w.pkg(pkg)
	return append(problems, w.problems()...), w.checked, nil
}

// shown is what the examples of a package use.
type shown struct {
	importPath, name string
	names            map[string]bool // of the package
	members          map[string]bool // methods and fields, called or declared
}

// add takes in what an example uses, and returns what is wrong with it.
func (s shown) add(example *doc.Example) (problems []string) {
	if example.Play == nil {
		return []string{fmt.Sprintf("Example%s uses another file of the package, so the page of the package shows it in part", example.Name)}
	}
	local := s.name
	for _, spec := range imports(example.Play) {
		p, err := strconv.Unquote(spec.Path.Value)
		switch {
		case err != nil:
			problems = append(problems, err.Error())
		case slices.Contains(strings.Split(p, "/"), "internal"):
			problems = append(problems, fmt.Sprintf("Example%s imports %s, which users cannot", example.Name, p))
		case p == s.importPath && spec.Name != nil:
			local = spec.Name.Name
		}
	}
	ast.Inspect(example.Play, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			// A name without a declaration is a package.
			if x, ok := n.X.(*ast.Ident); !ok || x.Obj != nil {
				s.members[n.Sel.Name] = true
			} else if x.Name == local {
				s.names[n.Sel.Name] = true
			}
		case *ast.FuncDecl:
			if n.Recv != nil {
				s.members[n.Name.Name] = true
			}
		}
		return true
	})
	return problems
}

func imports(file *ast.File) (specs []*ast.ImportSpec) {
	for _, decl := range file.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.IMPORT {
			for _, spec := range d.Specs {
				specs = append(specs, spec.(*ast.ImportSpec))
			}
		}
	}
	return specs
}

// wanted is what the examples should use.
type wanted struct {
	shown   shown
	exempt  map[string]string
	excused map[string]bool // exemptions that were needed
	missing []string
	checked int
}

func (w *wanted) pkg(p *doc.Package) {
	w.values(p.Consts)
	w.values(p.Vars)
	w.functions(p.Funcs)
	for _, typ := range p.Types {
		w.values(typ.Consts)
		w.values(typ.Vars)
		made := w.functions(typ.Funcs)
		if !token.IsExported(typ.Name) {
			continue
		}
		called := false
		for _, m := range typ.Methods {
			if slices.Contains(byInterface, m.Name) {
				continue
			}
			called = called || w.shown.members[m.Name]
			w.want(typ.Name+"."+m.Name, w.shown.members[m.Name])
		}
		w.want(typ.Name, called || w.shown.names[typ.Name] || slices.ContainsFunc(made, func(f string) bool { return w.shown.names[f] }))
	}
}

func (w *wanted) values(groups []*doc.Value) {
	for _, g := range groups {
		if w.exempt[g.Names[0]] != "" && len(g.Names) > 1 {
			w.excused[g.Names[0]] = true
			w.checked += len(g.Names)
			continue
		}
		for _, name := range g.Names {
			if token.IsExported(name) {
				w.want(name, w.shown.names[name])
			}
		}
	}
}

func (w *wanted) functions(all []*doc.Func) (names []string) {
	for _, f := range all {
		w.want(f.Name, w.shown.names[f.Name])
		names = append(names, f.Name)
	}
	return names
}

func (w *wanted) want(name string, found bool) {
	w.checked++
	if found {
		return
	}
	if w.exempt[name] != "" {
		w.excused[name] = true
		return
	}
	w.missing = append(w.missing, name)
}

func (w *wanted) problems() (problems []string) {
	if w.missing != nil {
		problems = append(problems, "no example uses "+strings.Join(w.missing, ", "))
	}
	for name := range w.exempt {
		if !w.excused[name] {
			problems = append(problems, "the exemption of "+name+" is not needed")
		}
	}
	slices.Sort(problems)
	return problems
}
