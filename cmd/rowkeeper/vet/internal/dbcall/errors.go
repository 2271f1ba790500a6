package dbcall

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// IsDBError reports whether an error has text of the database: it comes from a
// statement, a Scan, a Commit, or a function that returns such an error, and may be
// wrapped.
func (p *Package) IsDBError(err ssa.Value) bool { return p.isDBError(err, map[ssa.Value]bool{}) }

func (p *Package) isDBError(v ssa.Value, seen map[ssa.Value]bool) bool {
	if v == nil || seen[v] || len(seen) > 60 {
		return false
	}
	seen[v] = true
	switch v := v.(type) {
	case *ssa.Extract:
		if call, ok := v.Tuple.(*ssa.Call); ok && IsError(v.Type()) {
			return p.failsWithDB(call, seen)
		}
	case *ssa.Call:
		return IsError(v.Type()) && p.failsWithDB(v, seen)
	case *ssa.Phi:
		for _, edge := range v.Edges {
			if p.isDBError(edge, seen) {
				return true
			}
		}
	case *ssa.MakeInterface:
		return p.isDBError(v.X, seen)
	case *ssa.ChangeInterface:
		return p.isDBError(v.X, seen)
	case *ssa.UnOp:
		if stored := p.onlyStore(v.X); stored != nil {
			return p.isDBError(stored, seen)
		}
		return p.isDBError(p.Latest(v), seen)
	}
	return false
}

var wrappers = map[string]int{
	"fmt.Errorf": 1, "github.com/pkg/errors.Wrap": 0, "github.com/pkg/errors.Wrapf": 0,
	"github.com/pkg/errors.WithStack": 0, "github.com/pkg/errors.WithMessage": 0, "errors.Join": 0,
}

func (p *Package) failsWithDB(call *ssa.Call, seen map[ssa.Value]bool) bool {
	if d := p.direct(call); d != nil {
		return true
	}
	fn := calleeFunc(&call.Call)
	if fn == nil {
		return false
	}
	if first, ok := wrappers[FullName(fn)]; ok {
		for _, arg := range call.Call.Args[min(first, len(call.Call.Args)):] {
			if p.isDBError(arg, seen) {
				return true
			}
			if values, known := Elements(arg); known {
				for _, value := range values {
					if p.isDBError(value, seen) {
						return true
					}
				}
			}
		}
		return false
	}
	if recv := fn.Signature().Recv(); recv != nil {
		if name := typeName(recv.Type()); rowsTypes[name] || rowTypes[name] {
			return fn.Name() == "Scan" || fn.Name() == "Err" || fn.Name() == "StructScan"
		}
	}
	if pathOf(fn.Pkg()) == "github.com/jackc/pgx" && strings.HasPrefix(fn.Name(), "Collect") || fn.FullName() == "github.com/jackc/pgx/v5.ForEachRow" {
		return true
	}
	if _, ok := knownRunners[FullName(fn)]; ok {
		return true
	}
	fact := p.FactOf(fn)
	return fact != nil && fact.ErrDB
}

func (p *Package) returnsDBError(fn *ssa.Function) bool {
	results := fn.Signature.Results()
	n := results.Len()
	if n == 0 || !IsError(results.At(n-1).Type()) {
		return false
	}
	for _, block := range fn.Blocks {
		ret, ok := block.Instrs[len(block.Instrs)-1].(*ssa.Return)
		if ok && len(ret.Results) == n && p.IsDBError(ret.Results[n-1]) {
			return true
		}
	}
	return false
}

// Object returns the declared function that fn is or is in.
func Object(fn *ssa.Function) *types.Func {
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	obj, _ := fn.Object().(*types.Func)
	return obj
}
