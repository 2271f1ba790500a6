package dbcall

import (
	"go/constant"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// ReadOnly reports whether the options of a call that begins a transaction say that it
// only reads.
func (p *Package) ReadOnly(begin ssa.CallInstruction) bool {
	for _, arg := range callArgs(begin.Common()) {
		field := ""
		switch typeName(arg.Type()) {
		case "github.com/jackc/pgx.TxOptions":
			field = ".AccessMode"
		case "database/sql.TxOptions":
			field = ".ReadOnly"
		default:
			continue
		}
		if c, ok := p.TraceFrom(arg, field).Root.(*ssa.Const); ok && c.Value != nil {
			switch c.Value.Kind() {
			case constant.Bool:
				return constant.BoolVal(c.Value)
			case constant.String:
				return strings.EqualFold(constant.StringVal(c.Value), "read only")
			}
		}
	}
	return false
}

// Serializable reports whether a transaction reads a snapshot and fails on conflicts:
// REPEATABLE READ or SERIALIZABLE, or options that are not known.
func (p *Package) Serializable(begin *ssa.Call) bool {
	if p.serializable(begin) {
		return true
	}
	fn := calleeFunc(&begin.Call)
	return fn == nil || fn.Signature().Recv() == nil || opOf(fn).Kind != Begin // a helper may set it
}

// PoolOf returns the pool that a transaction was begun on.
func (p *Package) PoolOf(begin *ssa.Call) (Path, bool) {
	fn := calleeFunc(&begin.Call)
	args := callArgs(&begin.Call)
	if fn.Signature().Recv() != nil && opOf(fn).Kind == Begin {
		return p.Trace(args[0]), true
	}
	fact := p.FactOf(fn)
	if fact == nil || len(fact.Begins) != 1 {
		return Path{}, false
	}
	return p.resolve(args, fact.Begins[0])
}

// Begins returns the calls in a function that begin a transaction, helpers included.
func (p *Package) Begins(fn *ssa.Function) (begins []*ssa.Call) {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			if call, ok := instr.(*ssa.Call); ok && p.begins(call) {
				begins = append(begins, call)
			}
		}
	}
	return begins
}
