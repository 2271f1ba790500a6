package dbcall

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// Reaches reports whether control can get from one instruction to another without
// passing one at which stop is true. Neither from nor to are asked.
func Reaches(from, to ssa.Instruction, stop func(ssa.Instruction) bool) bool {
	found := false
	Walk(from, func(instr ssa.Instruction) bool {
		if instr == to {
			found = true
		}
		return !found && (stop == nil || !stop(instr))
	})
	return found
}

// Walk visits the instructions that control can get to from one, each once, and does
// not go on behind one for which visit returns false.
func Walk(from ssa.Instruction, visit func(ssa.Instruction) bool) {
	seen := map[*ssa.BasicBlock]bool{}
	var block func(b *ssa.BasicBlock, instrs []ssa.Instruction)
	block = func(b *ssa.BasicBlock, instrs []ssa.Instruction) {
		for _, instr := range instrs {
			if !visit(instr) {
				return
			}
		}
		for _, next := range b.Succs {
			if !seen[next] {
				seen[next] = true
				block(next, next.Instrs)
			}
		}
	}
	b := from.Block()
	for i, instr := range b.Instrs {
		if instr == from {
			block(b, b.Instrs[i+1:])
			return
		}
	}
}

// InLoop reports whether control can get from an instruction back to it.
func InLoop(instr ssa.Instruction) bool { return Reaches(instr, instr, nil) }

// SameLoop reports whether control can get from a to b and back.
func SameLoop(a, b ssa.Instruction) bool { return Reaches(a, b, nil) && Reaches(b, a, nil) }

// retryLoop reports whether a call in a loop is repeated with the same work: no
// argument is an element that the loop goes through.
func retryLoop(call ssa.CallInstruction) bool {
	for _, arg := range callArgs(call.Common()) {
		if isElement(arg, 0) {
			return false
		}
	}
	return true
}

func isElement(v ssa.Value, depth int) bool {
	if depth > 6 {
		return false
	}
	switch v := v.(type) {
	case *ssa.Extract:
		_, ok := v.Tuple.(*ssa.Next)
		return ok
	case *ssa.UnOp:
		return isElement(v.X, depth+1)
	case *ssa.MakeInterface:
		return isElement(v.X, depth+1)
	case *ssa.IndexAddr, *ssa.Index:
		return true
	case *ssa.MakeClosure:
		for _, bound := range v.Bindings {
			if isElement(bound, depth+1) {
				return true
			}
		}
	case *ssa.Alloc:
		for _, ref := range *v.Referrers() {
			if store, ok := ref.(*ssa.Store); ok && store.Addr == v && isElement(store.Val, depth+1) {
				return true
			}
		}
	}
	return false
}

// Depends reports whether v is computed from a value for which source is true. It looks
// through operators, variables, fields and the arguments of calls.
func (p *Package) Depends(v ssa.Value, source func(ssa.Value) bool) bool {
	return p.depends(v, source, map[ssa.Value]bool{})
}

func (p *Package) depends(v ssa.Value, source func(ssa.Value) bool, seen map[ssa.Value]bool) bool {
	if v == nil || seen[v] || len(seen) > 400 {
		return false
	}
	seen[v] = true
	if source(v) {
		return true
	}
	any := func(values ...ssa.Value) bool {
		for _, x := range values {
			if p.depends(x, source, seen) {
				return true
			}
		}
		return false
	}
	switch v := v.(type) {
	case *ssa.Alloc:
		return p.dependsOnStores(v, any)
	case *ssa.FreeVar:
		if bound := p.binding(v); bound != nil {
			return any(bound)
		}
	case *ssa.UnOp:
		return any(v.X)
	case *ssa.Call:
		return any(callArgs(&v.Call)...)
	case *ssa.FieldAddr:
		return p.dependsOnField(v, any)
	case *ssa.Parameter, *ssa.Const, *ssa.Global, *ssa.Function, *ssa.MakeClosure:
		return false
	case ssa.Instruction:
		for _, operand := range v.Operands(nil) {
			if *operand != nil && any(*operand) {
				return true
			}
		}
	}
	return false
}

func (p *Package) dependsOnStores(alloc *ssa.Alloc, any func(...ssa.Value) bool) bool {
	for _, store := range p.Stores(alloc) {
		if any(store.Val) {
			return true
		}
	}
	for _, ref := range *alloc.Referrers() {
		var addr ssa.Value
		switch ref := ref.(type) {
		case *ssa.FieldAddr:
			addr = ref
		case *ssa.IndexAddr:
			addr = ref
		default:
			continue
		}
		for _, use := range *addr.Referrers() {
			if store, ok := use.(*ssa.Store); ok && store.Addr == addr && any(store.Val) {
				return true
			}
		}
	}
	return false
}

// dependsOnField follows a load of a field to the assignments to the same field of the
// same variable.
func (p *Package) dependsOnField(field *ssa.FieldAddr, any func(...ssa.Value) bool) bool {
	refs := field.X.Referrers()
	if refs == nil {
		return any(field.X)
	}
	stored := false
	for _, ref := range *refs {
		other, ok := ref.(*ssa.FieldAddr)
		if !ok || other.Field != field.Field {
			continue
		}
		if other != field && any(other) {
			return true
		}
		for _, use := range *other.Referrers() {
			if store, ok := use.(*ssa.Store); ok && store.Addr == other {
				stored = true
				if any(store.Val) {
					return true
				}
			}
		}
	}
	if stored {
		return false
	}
	if _, ok := field.X.(*ssa.Alloc); ok {
		for _, ref := range *refs { // the whole struct
			if store, ok := ref.(*ssa.Store); ok && store.Addr == field.X && any(store.Val) {
				return true
			}
		}
		return false
	}
	return any(field.X)
}

// Uses returns the instructions that use a value.
func Uses(v ssa.Value) []ssa.Instruction {
	refs := v.Referrers()
	if refs == nil {
		return nil
	}
	return *refs
}

// ErrorOf returns the error among the results of a call, or nil if it is not used, and
// whether the call has one.
func ErrorOf(call ssa.CallInstruction) (err ssa.Value, has bool) {
	results := call.Common().Signature().Results()
	n := results.Len()
	if n == 0 || !IsError(results.At(n-1).Type()) {
		return nil, false
	}
	v := call.Value()
	if v == nil {
		return nil, true
	}
	if n == 1 {
		return v, true
	}
	for _, ref := range *v.Referrers() {
		if extract, ok := ref.(*ssa.Extract); ok && extract.Index == n-1 {
			return extract, true
		}
	}
	return nil, true
}

// Condition returns the If that ends the block of an instruction, or nil.
func Condition(b *ssa.BasicBlock) *ssa.If {
	branch, _ := b.Instrs[len(b.Instrs)-1].(*ssa.If)
	return branch
}

// ComparesToNil reports whether some condition in the value's function compares it to
// nil.
func (p *Package) ComparesToNil(v ssa.Value) bool {
	fn := v.Parent()
	if fn == nil {
		return false
	}
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			op, ok := instr.(*ssa.BinOp)
			if !ok || op.Op != token.EQL && op.Op != token.NEQ {
				continue
			}
			for _, pair := range [][2]ssa.Value{{op.X, op.Y}, {op.Y, op.X}} {
				if c, ok := pair[1].(*ssa.Const); ok && c.IsNil() && p.Trace(pair[0]) == p.Trace(v) {
					return true
				}
			}
		}
	}
	return false
}

// IsString reports whether t is a string type.
func IsString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

// Latest returns the value that a load gives, if the last assignment before it is in
// its block or in a chain of blocks that all lead to it, or nil.
func (p *Package) Latest(load *ssa.UnOp) ssa.Value {
	block, before := load.Block(), ssa.Instruction(load)
	for range 20 {
		var last *ssa.Store
		for _, instr := range block.Instrs {
			if instr == before {
				break
			}
			if store, ok := instr.(*ssa.Store); ok && store.Addr == load.X {
				last = store
			}
		}
		if last != nil {
			return last.Val
		}
		if len(block.Preds) != 1 {
			return nil
		}
		block, before = block.Preds[0], nil
	}
	return nil
}

// ErrorBranch returns the block that control goes to if the error of the call is not
// nil, at an If that tests it, or nil.
func (p *Package) ErrorBranch(branch *ssa.If, call ssa.CallInstruction) *ssa.BasicBlock {
	op, ok := branch.Cond.(*ssa.BinOp)
	if !ok || op.Op != token.EQL && op.Op != token.NEQ {
		return nil
	}
	for _, pair := range [][2]ssa.Value{{op.X, op.Y}, {op.Y, op.X}} {
		c, ok := pair[1].(*ssa.Const)
		if !ok || !c.IsNil() || !p.isErrorOf(pair[0], call) {
			continue
		}
		if op.Op == token.NEQ {
			return branch.Block().Succs[0]
		}
		return branch.Block().Succs[1]
	}
	return nil
}

func (p *Package) isErrorOf(v ssa.Value, call ssa.CallInstruction) bool {
	if load, ok := v.(*ssa.UnOp); ok && load.Op == token.MUL {
		if v = p.Latest(load); v == nil {
			return false
		}
	}
	if field, ok := v.(*ssa.UnOp); ok { // gorm: tx.Error
		v = field
	}
	err, _ := ErrorOf(call)
	return err != nil && v == err
}

// WalkOpen is Walk from a call, without the branch in which the call has failed.
func (p *Package) WalkOpen(from ssa.CallInstruction, visit func(ssa.Instruction) bool) {
	seen := map[*ssa.BasicBlock]bool{}
	var block func(b *ssa.BasicBlock, instrs []ssa.Instruction)
	block = func(b *ssa.BasicBlock, instrs []ssa.Instruction) {
		for _, instr := range instrs {
			if !visit(instr) {
				return
			}
		}
		var failed *ssa.BasicBlock
		if branch := Condition(b); branch != nil {
			failed = p.ErrorBranch(branch, from)
		}
		for _, next := range b.Succs {
			if next != failed && !seen[next] {
				seen[next] = true
				block(next, next.Instrs)
			}
		}
	}
	b := from.Block()
	for i, instr := range b.Instrs {
		if instr == from {
			block(b, b.Instrs[i+1:])
			return
		}
	}
}
