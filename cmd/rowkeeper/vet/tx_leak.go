package vet

import (
	"fmt"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

var rule05 = &finding.Rule{
	ID: "RKV05", Name: "tx-leak", Severity: finding.Medium, CWE: []int{772}, API: "API4", PCI: finding.PCIData,
	Title: "A function can return without Commit or Rollback of its transaction",
	Why: "The transaction keeps its locks and its connection until the server ends it. After a few of these the pool is " +
		"empty, and the service stands still.",
	Fix:       "Write defer tx.Rollback right after Begin; after Commit it does nothing.",
	Silent:    "If the transaction is returned, stored, captured by a function that ends it, or given to a function that may end it.",
	Bad:       "tx, err := db.Begin()\n…\nif _, err := tx.Exec(q); err != nil {\n\treturn err\n}\nreturn tx.Commit()",
	Good:      "tx, err := db.Begin()\n…\ndefer tx.Rollback()\nif _, err := tx.Exec(q); err != nil {\n\treturn err\n}\nreturn tx.Commit()",
	Rowkeeper: "txn.RunInTx",
}

func txLeak(u *unit) {
	for _, fn := range u.Funcs {
		for _, begin := range u.Begins(fn) {
			tx := txValue(begin)
			if tx == nil || escapes(u, fn, tx) {
				continue
			}
			var leak *ssa.Return
			u.WalkOpen(begin, func(instr ssa.Instruction) bool {
				if leak != nil || ends(u, instr, tx) {
					return false
				}
				if ret, ok := instr.(*ssa.Return); ok {
					leak = ret
				}
				return true
			})
			if leak == nil {
				continue
			}
			message := "the function can return without Commit or Rollback"
			if line := u.Pass.Fset.Position(leak.Pos()).Line; line > 0 {
				message = fmt.Sprintf("the return on line %d leaves the transaction open", line)
			}
			u.report(begin, message)
		}
	}
}

// isTx reports whether a value is the transaction.
func isTx(u *unit, v, tx ssa.Value) bool {
	path := u.Trace(v)
	return path.Root == tx && path.Fields == ""
}

// ends reports whether an instruction ends the transaction, or defers that.
func ends(u *unit, instr ssa.Instruction, tx ssa.Value) bool {
	call, ok := instr.(ssa.CallInstruction)
	if !ok {
		return false
	}
	args := dbcall.Args(call)
	if deferred, ok := call.(*ssa.Defer); ok {
		for _, arg := range args {
			if isTx(u, arg, tx) {
				return true
			}
		}
		return captures(deferred.Call.Value, u, tx)
	}
	for _, c := range u.Calls[instr.Parent()] {
		if c.Instr == call && c.Via == nil && (c.Kind == dbcall.Commit || c.Kind == dbcall.Rollback) {
			return isTx(u, args[0], tx)
		}
	}
	if fn := dbcall.Callee(call); fn != nil {
		if fact := u.FactOf(fn); fact != nil {
			for _, i := range fact.EndsTx {
				if i < len(args) && isTx(u, args[i], tx) {
					return true
				}
			}
		}
	}
	return false
}

// captures reports whether v is a function literal that captures the transaction.
func captures(v ssa.Value, u *unit, tx ssa.Value) bool {
	made, ok := v.(*ssa.MakeClosure)
	if !ok {
		return false
	}
	for i := range made.Bindings {
		if isTx(u, made.Fn.(*ssa.Function).FreeVars[i], tx) || holdsTx(u, made.Bindings[i], tx) {
			return true
		}
	}
	return false
}

// holdsTx reports whether a captured variable has the transaction.
func holdsTx(u *unit, addr, tx ssa.Value) bool {
	return slices.ContainsFunc(u.Stores(addr), func(s *ssa.Store) bool { return s.Val == tx })
}

// escapes reports whether somebody else may end the transaction.
func escapes(u *unit, fn *ssa.Function, tx ssa.Value) bool {
	found := false
	seen := map[ssa.Value]bool{}
	var follow func(v ssa.Value)
	follow = func(v ssa.Value) {
		if seen[v] || found {
			return
		}
		seen[v] = true
		for _, use := range dbcall.Uses(v) {
			switch use := use.(type) {
			case *ssa.Return, *ssa.Send, *ssa.MapUpdate, *ssa.Panic, *ssa.Go:
				found = true
			case *ssa.Phi: // a variable that has several transactions, one after another
				found = true
			case *ssa.Store:
				if use.Val == v {
					if alloc, ok := use.Addr.(*ssa.Alloc); ok {
						if len(u.Stores(alloc)) > 1 {
							found = true
						}
						follow(alloc)
					} else {
						found = true
					}
				}
			case *ssa.MakeClosure:
				found = found || endsWithin(u, use.Fn.(*ssa.Function), tx) && !onlyDeferred(use)
			case *ssa.MakeInterface, *ssa.ChangeInterface, *ssa.ChangeType, *ssa.UnOp, *ssa.TypeAssert:
				follow(use.(ssa.Value))
			case ssa.CallInstruction:
				found = found || mayEnd(u, use, v)
			}
		}
	}
	follow(tx)
	return found
}

func onlyDeferred(made *ssa.MakeClosure) bool {
	for _, use := range dbcall.Uses(made) {
		if _, ok := use.(*ssa.Defer); !ok {
			return false
		}
	}
	return true
}

// endsWithin reports whether a function literal ends the transaction.
func endsWithin(u *unit, fn *ssa.Function, tx ssa.Value) bool {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			if ends(u, instr, tx) {
				return true
			}
		}
	}
	return slices.ContainsFunc(fn.AnonFuncs, func(inner *ssa.Function) bool { return endsWithin(u, inner, tx) })
}

// mayEnd reports whether a function that takes v could end the transaction, and
// nothing is known of it.
func mayEnd(u *unit, call ssa.CallInstruction, v ssa.Value) bool {
	fn := dbcall.Callee(call)
	args := dbcall.Args(call)
	for i, arg := range args {
		if arg != v {
			continue
		}
		if fn == nil {
			return true
		}
		if i == 0 && fn.Signature().Recv() != nil {
			continue // a method of the transaction
		}
		if dbcall.ClassOf(arg.Type()) != dbcall.Tx && !isEmptyInterface(arg.Type()) {
			continue // the callee does not see Commit
		}
		if fn.Pkg() == u.Pass.Pkg && !call.Common().IsInvoke() {
			fact := u.FactOf(fn)
			if fact != nil && len(fact.Holds) == 0 {
				continue
			}
			return fact == nil || dbcall.ClassOf(call.Common().Signature().Results().At(0).Type()) == dbcall.Tx
		}
		if fact := u.FactOf(fn); fact != nil && len(fact.Holds) == 0 {
			continue
		}
		return true
	}
	return false
}
