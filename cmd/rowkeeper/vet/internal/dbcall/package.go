package dbcall

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"
)

// A Package is what New's analyzer returns for a package.
type Package struct {
	Pass  *analysis.Pass
	SSA   *ssa.Package
	Funcs []*ssa.Function           // all functions with a body, literals included
	Calls map[*ssa.Function][]*Call // statements, and the beginnings and ends of transactions
	Runs  map[*ssa.Function][]*Run  // calls that run a function in a transaction

	// RunOf is the call that runs a function literal, or a function of this package.
	RunOf map[*ssa.Function]*Run

	retry    map[string]bool
	facts    map[*types.Func]*Fact
	closures map[*ssa.Function]*ssa.MakeClosure
	globals  map[*ssa.Global]string
	exprs    map[token.Pos]*ast.CallExpr
	inPhi    int
}

// New returns the analyzer that the rules need. The functions in retry, "path.Name" or
// "path.Type.Name", retry their argument.
func New(retry []string) *analysis.Analyzer {
	configured := map[string]bool{}
	for _, name := range retry {
		configured[strings.NewReplacer("(", "", ")", "", "*", "").Replace(name)] = true
	}
	return &analysis.Analyzer{
		Name:       "rowkeeper_dbcall",
		Doc:        "find what the package does with its database, for the rules of rowkeeper vet",
		ResultType: reflect.TypeFor[*Package](),
		FactTypes:  []analysis.Fact{new(Fact)},
		Run: func(pass *analysis.Pass) (any, error) {
			return load(pass, configured), nil
		},
	}
}

// databases are the packages one of which a package must import, even indirectly, for
// a look at it to be worthwhile.
var databases = map[string]bool{
	"database/sql": true, "github.com/jackc/pgx": true, "github.com/jackc/pgx/pgxpool": true, "github.com/jackc/pgx/pgconn": true,
	"github.com/jackc/pgconn": true, "github.com/jmoiron/sqlx": true, "gorm.io/gorm": true, "github.com/jinzhu/gorm": true,
}

func usesDatabase(pkg *types.Package, seen map[*types.Package]bool) bool {
	if seen[pkg] {
		return false
	}
	seen[pkg] = true
	for _, imported := range pkg.Imports() {
		if databases[pathOf(imported)] || usesDatabase(imported, seen) {
			return true
		}
	}
	return false
}

// standard reports whether a package is one of Go's own. The drivers are not looked
// into either: the tables of this package know what they do.
func foreign(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") && (first == "database" || first == "net" || first == "internal" || first == "vendor") {
		return true
	}
	for _, prefix := range []string{"github.com/jackc/", "github.com/jmoiron/sqlx", "gorm.io/", "github.com/jinzhu/gorm", "github.com/lib/pq", "github.com/cockroachdb/cockroach-go/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

func load(pass *analysis.Pass, retry map[string]bool) *Package {
	p := &Package{Pass: pass, retry: retry, Calls: map[*ssa.Function][]*Call{}, Runs: map[*ssa.Function][]*Run{},
		RunOf: map[*ssa.Function]*Run{}, facts: map[*types.Func]*Fact{}, closures: map[*ssa.Function]*ssa.MakeClosure{}}
	if len(pass.Files) == 0 || foreign(pass.Pkg.Path()) || !usesDatabase(pass.Pkg, map[*types.Package]bool{}) {
		return p
	}
	p.build()
	p.exprs = map[token.Pos]*ast.CallExpr{}
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				p.exprs[call.Lparen] = call
			}
			return true
		})
	}
	p.constGlobals()
	p.summarize()
	return p
}

// build makes the SSA form of the package. It is not that of package buildssa, which
// would be made for every dependency too.
func (p *Package) build() {
	prog := ssa.NewProgram(p.Pass.Fset, ssa.BuilderMode(0))
	prog.SetNoReturn(neverReturns)
	for _, imported := range p.Pass.Pkg.Imports() {
		prog.CreatePackage(imported, nil, nil, true)
	}
	p.SSA = prog.CreatePackage(p.Pass.Pkg, p.Pass.Files, p.Pass.TypesInfo, false)
	p.SSA.Build()
	var add func(fn *ssa.Function)
	add = func(fn *ssa.Function) {
		p.Funcs = append(p.Funcs, fn)
		for _, block := range fn.Blocks {
			for _, instr := range block.Instrs {
				if made, ok := instr.(*ssa.MakeClosure); ok {
					p.closures[made.Fn.(*ssa.Function)] = made
				}
			}
		}
		for _, literal := range fn.AnonFuncs {
			add(literal)
		}
	}
	for _, file := range p.Pass.Files {
		for _, decl := range file.Decls {
			if decl, ok := decl.(*ast.FuncDecl); ok {
				if obj, ok := p.Pass.TypesInfo.Defs[decl.Name].(*types.Func); ok {
					if fn := prog.FuncValue(obj); fn != nil {
						add(fn)
					}
				}
			}
		}
	}
	if init := p.SSA.Func("init"); init != nil {
		for _, literal := range init.AnonFuncs { // in declarations of variables
			add(literal)
		}
	}
}

func neverReturns(fn *types.Func) bool {
	switch fn.FullName() {
	case "os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln", "log.Panic", "log.Panicf", "runtime.Goexit",
		"(*log.Logger).Fatal", "(*log.Logger).Fatalf", "(*log.Logger).Fatalln":
		return true
	}
	return false
}

// Expr returns the expression of a call, or nil.
func (p *Package) Expr(call ssa.CallInstruction) *ast.CallExpr { return p.exprs[call.Common().Pos()] }

// ExprAt returns the call whose opening parenthesis is at pos, or nil.
func (p *Package) ExprAt(pos token.Pos) *ast.CallExpr { return p.exprs[pos] }

// FactOf returns what is known of a function, or nil.
func (p *Package) FactOf(fn *types.Func) *Fact {
	fn = fn.Origin()
	if fact, ok := p.facts[fn]; ok {
		return fact
	}
	if fn.Pkg() == nil || fn.Pkg() == p.Pass.Pkg {
		return nil
	}
	fact := new(Fact)
	if !p.Pass.ImportObjectFact(fn, fact) {
		fact = nil
	}
	p.facts[fn] = fact
	return fact
}

// Callee returns the function or method that is called, as declared, or nil.
func Callee(call ssa.CallInstruction) *types.Func { return calleeFunc(call.Common()) }

// Args returns the arguments of a call, the receiver first.
func Args(call ssa.CallInstruction) []ssa.Value { return callArgs(call.Common()) }

// FullName returns the name of a function with its path, without major versions:
// "database/sql.Tx.Commit".
func FullName(fn *types.Func) string {
	if fn == nil {
		return ""
	}
	if recv := fn.Signature().Recv(); recv != nil {
		return typeName(recv.Type()) + "." + fn.Name()
	}
	return pathOf(fn.Pkg()) + "." + fn.Name()
}
