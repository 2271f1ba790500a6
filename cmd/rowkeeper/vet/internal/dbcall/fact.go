package dbcall

import (
	"fmt"
	"go/types"
	"reflect"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// A Fact is what a function does with its parameters. A path is the index of a
// parameter, the receiver being the first, and fields: "0.db". A variable of a package
// is "g:path.name".
type Fact struct {
	Stmts     []Stmt
	Begins    []string // pools on which it begins transactions
	Runner    *Runner
	Holds     []Hold
	ReturnsTx bool  // the first result is a transaction that it began
	EndsTx    []int // parameters that it commits or rolls back
	ErrDB     bool  // it returns errors with text of the database
	Retried   []int // parameters, functions that it calls in a loop of retries
}

// AFact marks a Fact.
func (*Fact) AFact() {}

func (f *Fact) String() string {
	return fmt.Sprintf("stmts %d, begins %v, runner %v, holds %v", len(f.Stmts), f.Begins, f.Runner != nil, f.Holds)
}

func (f *Fact) empty() bool { return reflect.DeepEqual(f, new(Fact)) }

// A Stmt is a statement that a function sends.
type Stmt struct {
	Kind  Kind
	Class Class
	On    string
	SQL   string
	Const bool
	Args  []string // "" where unknown
	Known bool
}

// A Hold is a parameter that the result keeps in a field.
type Hold struct {
	Field string
	Param int
	From  string // the field of the parameter
}

const maxStmts = 24

// summarize finds the calls of each function and the facts, until these are stable.
func (p *Package) summarize() {
	for range 4 {
		before := p.facts
		p.facts = map[*types.Func]*Fact{}
		for fn, fact := range before {
			p.facts[fn] = fact
		}
		clear(p.RunOf)
		for _, fn := range p.Funcs {
			p.Runs[fn] = p.runsIn(fn)
		}
		for _, fn := range p.Funcs {
			p.Calls[fn] = p.callsIn(fn)
		}
		changed := false
		for _, fn := range p.Funcs {
			obj, ok := fn.Object().(*types.Func)
			if !ok {
				continue
			}
			fact := p.factOf(fn)
			if !reflect.DeepEqual(fact, before[obj]) {
				changed = true
			}
			p.facts[obj] = fact
		}
		if !changed {
			break
		}
	}
	p.interfaces()
	for fn, fact := range p.facts {
		if fact != nil && fn.Pkg() == p.Pass.Pkg && !fact.empty() {
			p.Pass.ExportObjectFact(fn, fact)
		}
	}
}

func (p *Package) callsIn(fn *ssa.Function) (calls []*Call) {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			call, ok := instr.(ssa.CallInstruction)
			if !ok {
				continue
			}
			if direct := p.direct(call); direct != nil {
				calls = append(calls, direct)
				continue
			}
			calls = append(calls, p.through(call)...)
		}
	}
	return calls
}

func (p *Package) factOf(fn *ssa.Function) *Fact {
	fact := new(Fact)
	p.eachWithin(fn, func(inner *ssa.Function) {
		if p.isGoroutine(inner) {
			return
		}
		for _, call := range p.Calls[inner] {
			p.addCall(fact, fn, call)
		}
	})
	fact.Runner = p.inferRunner(fn)
	fact.Holds = p.holdsOf(fn)
	fact.ReturnsTx = p.returnsTx(fn)
	fact.ErrDB = p.returnsDBError(fn)
	return fact
}

// eachWithin calls f with fn and the literals in it.
func (p *Package) eachWithin(fn *ssa.Function, f func(*ssa.Function)) {
	f(fn)
	for _, literal := range fn.AnonFuncs {
		p.eachWithin(literal, f)
	}
}

func (p *Package) isGoroutine(fn *ssa.Function) bool {
	made := p.closures[fn]
	if made == nil {
		return false
	}
	for _, ref := range *made.Referrers() {
		if g, ok := ref.(*ssa.Go); ok && g.Call.Value == made {
			return true
		}
	}
	return false
}

func (p *Package) addCall(fact *Fact, fn *ssa.Function, call *Call) {
	on, ok := paramPath(fn, call.On)
	if !ok {
		return
	}
	switch {
	case call.Kind == Begin:
		fact.Begins = appendNew(fact.Begins, on)
	case call.Kind == Commit || call.Kind == Rollback:
		if i, err := strconv.Atoi(on); err == nil {
			fact.EndsTx = appendNew(fact.EndsTx, i)
		}
	case call.Kind.Runs() && len(fact.Stmts) < maxStmts:
		s := Stmt{Kind: call.Kind, Class: call.Class, On: on, SQL: call.SQL, Const: call.Const, Known: call.Known}
		for _, arg := range call.Args {
			path := ""
			if arg != nil {
				path, _ = paramPath(fn, p.Trace(arg))
			}
			s.Args = append(s.Args, path)
		}
		for _, other := range fact.Stmts {
			if reflect.DeepEqual(other, s) {
				return
			}
		}
		fact.Stmts = append(fact.Stmts, s)
	}
}

func appendNew[T comparable](list []T, v T) []T {
	for _, other := range list {
		if other == v {
			return list
		}
	}
	return append(list, v)
}

// paramPath writes a path that begins at a parameter of fn or at a variable of a
// package.
func paramPath(fn *ssa.Function, path Path) (string, bool) {
	if path.Root == nil {
		return path.Fields, strings.HasPrefix(path.Fields, "g:")
	}
	for i, param := range fn.Params {
		if param == path.Root {
			return strconv.Itoa(i) + path.Fields, true
		}
	}
	return "", false
}

// resolve finds what a path of a fact stands for at a call with these arguments.
func (p *Package) resolve(args []ssa.Value, path string) (Path, bool) {
	if strings.HasPrefix(path, "g:") {
		return Path{Fields: path}, true
	}
	index, fields, _ := strings.Cut(path, ".")
	i, err := strconv.Atoi(index)
	if err != nil || i >= len(args) {
		return Path{}, false
	}
	if fields != "" {
		fields = "." + fields
	}
	return p.TraceFrom(args[i], fields), true
}

// holdsOf finds the parameters that the first result of a constructor keeps.
func (p *Package) holdsOf(fn *ssa.Function) (holds []Hold) {
	if fn.Signature.Results().Len() == 0 || fn.Signature.Results().Len() > 2 {
		return nil
	}
	for _, block := range fn.Blocks {
		ret, ok := block.Instrs[len(block.Instrs)-1].(*ssa.Return)
		if !ok || len(ret.Results) == 0 {
			continue
		}
		result := ret.Results[0]
		if load, ok := result.(*ssa.UnOp); ok {
			result = load.X
		}
		if made, ok := result.(*ssa.MakeInterface); ok {
			result = made.X
		}
		alloc, ok := result.(*ssa.Alloc)
		if !ok {
			if path, ok := paramPath(fn, p.Trace(ret.Results[0])); ok && !strings.HasPrefix(path, "g:") && ClassOf(fn.Signature.Results().At(0).Type()) != None {
				if index, fields, _ := strings.Cut(path, "."); fields != "" {
					i, _ := strconv.Atoi(index)
					holds = appendNew(holds, Hold{Field: "", Param: i, From: "." + fields})
				}
			}
			continue
		}
		holds = append(holds, p.heldFields(fn, alloc)...)
	}
	return holds
}

func (p *Package) heldFields(fn *ssa.Function, alloc *ssa.Alloc) (holds []Hold) {
	for _, ref := range *alloc.Referrers() {
		addr, ok := ref.(*ssa.FieldAddr)
		if !ok {
			continue
		}
		field := "." + fieldName(alloc.Type(), addr.Field)
		for _, use := range *addr.Referrers() {
			store, ok := use.(*ssa.Store)
			if !ok || store.Addr != addr {
				continue
			}
			path, ok := paramPath(fn, p.Trace(store.Val))
			if ok && !strings.HasPrefix(path, "g:") {
				index, fields, _ := strings.Cut(path, ".")
				if fields != "" {
					fields = "." + fields
				}
				i, _ := strconv.Atoi(index)
				holds = appendNew(holds, Hold{Field: field, Param: i, From: fields})
				continue
			}
			// &Store{Queries: New(db)}: what the inner one holds.
			if inner, ok := store.Val.(*ssa.Call); ok {
				holds = append(holds, p.nested(fn, field, inner)...)
			}
		}
	}
	return holds
}

func (p *Package) nested(fn *ssa.Function, field string, call *ssa.Call) (holds []Hold) {
	callee := calleeFunc(&call.Call)
	if callee == nil {
		return nil
	}
	fact := p.FactOf(callee)
	if fact == nil {
		return nil
	}
	args := callArgs(&call.Call)
	for _, h := range fact.Holds {
		if h.Param >= len(args) {
			continue
		}
		path, ok := paramPath(fn, p.TraceFrom(args[h.Param], h.From))
		if !ok || strings.HasPrefix(path, "g:") {
			continue
		}
		index, fields, _ := strings.Cut(path, ".")
		if fields != "" {
			fields = "." + fields
		}
		i, _ := strconv.Atoi(index)
		holds = append(holds, Hold{Field: field + h.Field, Param: i, From: fields})
	}
	return holds
}

func (p *Package) returnsTx(fn *ssa.Function) bool {
	results := fn.Signature.Results()
	if results.Len() == 0 || ClassOf(results.At(0).Type()) != Tx {
		return false
	}
	for _, block := range fn.Blocks {
		if ret, ok := block.Instrs[len(block.Instrs)-1].(*ssa.Return); ok && len(ret.Results) > 0 {
			if p.BeginOf(ret.Results[0]) != nil {
				return true
			}
		}
	}
	return false
}

// BeginOf returns the call that began the transaction v, in this function or in a
// helper, or nil.
func (p *Package) BeginOf(v ssa.Value) *ssa.Call {
	return p.beginAt(p.Trace(v))
}

func (p *Package) beginAt(path Path) *ssa.Call {
	if path.Fields != "" {
		return nil
	}
	var call *ssa.Call
	switch root := path.Root.(type) {
	case *ssa.Extract:
		if root.Index == 0 {
			call, _ = root.Tuple.(*ssa.Call)
		}
	case *ssa.Call:
		call = root
	}
	if call == nil {
		return nil
	}
	fn := calleeFunc(&call.Call)
	if fn == nil {
		return nil
	}
	if fn.Signature().Recv() != nil && opOf(fn).Kind == Begin {
		return call
	}
	if fact := p.FactOf(fn); fact != nil && fact.ReturnsTx {
		return call
	}
	return nil
}

// TraceFrom is Trace for a field of v, or a field of a field.
func (p *Package) TraceFrom(v ssa.Value, fields string) Path {
	for range maxSteps {
		next, field, ok := p.step(v, fields)
		if !ok {
			break
		}
		v, fields = next, field
	}
	if g, ok := v.(*ssa.Global); ok {
		return Path{Fields: "g:" + g.Pkg.Pkg.Path() + "." + g.Name() + fields}
	}
	return Path{v, fields}
}

// interfaces gives the methods of the package's interfaces what is known of the errors
// of the types in the package that implement them.
func (p *Package) interfaces() {
	scope := p.Pass.Pkg.Scope()
	var named []*types.Named
	for _, name := range scope.Names() {
		if obj, ok := scope.Lookup(name).(*types.TypeName); ok {
			if n, ok := types.Unalias(obj.Type()).(*types.Named); ok && n.TypeParams().Len() == 0 {
				named = append(named, n)
			}
		}
	}
	for _, n := range named {
		iface, ok := n.Underlying().(*types.Interface)
		if !ok || iface.NumMethods() == 0 {
			continue
		}
		for _, impl := range named {
			pointer := types.NewPointer(impl)
			if types.IsInterface(impl) || !types.Implements(pointer, iface) {
				continue
			}
			for i := range iface.NumMethods() {
				method := iface.Method(i)
				obj, _, _ := types.LookupFieldOrMethod(pointer, false, p.Pass.Pkg, method.Name())
				fn, ok := obj.(*types.Func)
				if !ok || method.Pkg() != p.Pass.Pkg {
					continue
				}
				if fact := p.FactOf(fn); fact != nil && fact.ErrDB {
					p.facts[method] = &Fact{ErrDB: true}
				}
			}
		}
	}
}
