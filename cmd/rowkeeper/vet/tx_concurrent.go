package vet

import (
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

var rule07 = &finding.Rule{
	ID: "RKV07", Name: "tx-concurrent", Severity: finding.High, CWE: []int{567}, PCI: finding.PCIData,
	Title: "A transaction is used by several goroutines, or after the function that it was given to",
	Why: "A transaction is one connection with one statement at a time. Statements of two goroutines mix or fail, " +
		"and one that comes after Commit is lost.",
	Fix:       "Use a transaction in the goroutine that began it, and only until it ends.",
	Silent:    "If one goroutine has the transaction for itself, and its starter waits for it.",
	Bad:       "g.Go(func() error { _, err := tx.Exec(ctx, a); return err })\ng.Go(func() error { _, err := tx.Exec(ctx, b); return err })",
	Good:      "if _, err := tx.Exec(ctx, a); err != nil {\n\treturn err\n}\n_, err := tx.Exec(ctx, b)",
	Rowkeeper: "txn.Run",
}

func txConcurrent(u *unit) {
	for _, fn := range u.Funcs {
		for _, begin := range u.Begins(fn) {
			if tx := txValue(begin); tx != nil {
				inGoroutines(u, fn, tx, false)
			}
		}
		for _, param := range fn.Params {
			if dbcall.ClassOf(param.Type()) == dbcall.Tx && !(fn.Signature.Recv() != nil && param == fn.Params[0]) {
				inGoroutines(u, fn, param, true)
			}
		}
		if run := u.RunOf[fn]; run != nil {
			for _, param := range run.TxParams() {
				keptByCallback(u, fn, param)
			}
		}
	}
}

// A start is where a goroutine begins that uses the transaction.
type start struct {
	instr  ssa.CallInstruction
	waited bool // by a group that somebody waits for
}

func inGoroutines(u *unit, fn *ssa.Function, tx ssa.Value, borrowed bool) {
	var starts []start
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			call, ok := instr.(ssa.CallInstruction)
			if !ok {
				continue
			}
			if s, ok := startsWith(u, call, tx); ok {
				starts = append(starts, s)
			}
		}
	}
	for i, s := range starts {
		switch {
		case dbcall.InLoop(s.instr) && !beginsInLoop(s.instr, tx):
			u.report(s.instr, "several goroutines use the transaction at once")
		case len(starts) > 1 && slices.ContainsFunc(starts[:i], func(o start) bool { return unwaited(o.instr, s.instr) }):
			u.report(s.instr, "a second goroutine uses the transaction at once")
		case !s.waited && borrowed && !waits(s.instr):
			u.report(s.instr, "the goroutine may use the transaction after its owner has ended it")
		case usedMeanwhile(u, fn, s, tx):
			u.report(s.instr, "the goroutine uses the transaction at the same time as the function that starts it")
		}
	}
}

// beginsInLoop reports whether each turn of the loop has its own transaction.
func beginsInLoop(start ssa.CallInstruction, tx ssa.Value) bool {
	instr, ok := tx.(ssa.Instruction)
	return ok && dbcall.SameLoop(instr, start)
}

// startsWith reports whether a call starts a goroutine that has the transaction.
func startsWith(u *unit, call ssa.CallInstruction, tx ssa.Value) (start, bool) {
	if g, ok := call.(*ssa.Go); ok {
		has := captures(g.Call.Value, u, tx) || slices.ContainsFunc(dbcall.Args(g), func(arg ssa.Value) bool { return isTx(u, arg, tx) })
		return start{instr: call}, has
	}
	fn := dbcall.Callee(call)
	if fn == nil || fn.Name() != "Go" && fn.Name() != "TryGo" {
		return start{}, false
	}
	has := slices.ContainsFunc(dbcall.Args(call), func(arg ssa.Value) bool { return captures(arg, u, tx) })
	return start{call, true}, has
}

// waits reports whether the function waits for something after the instruction: Wait, or
// a receive.
func waits(from ssa.Instruction) bool {
	found := false
	dbcall.Walk(from, func(instr ssa.Instruction) bool {
		found = found || isWait(instr)
		return !found
	})
	return found
}

func isWait(instr ssa.Instruction) bool {
	switch instr := instr.(type) {
	case ssa.CallInstruction:
		fn := dbcall.Callee(instr)
		return fn != nil && fn.Name() == "Wait"
	case *ssa.UnOp:
		return instr.Op.String() == "<-"
	case *ssa.Select:
		return true
	}
	return false
}

// unwaited reports whether control gets from one instruction to the other without a wait.
func unwaited(from, to ssa.Instruction) bool { return dbcall.Reaches(from, to, isWait) }

// usedMeanwhile reports whether the function itself uses the transaction before it waits.
func usedMeanwhile(u *unit, fn *ssa.Function, s start, tx ssa.Value) bool {
	return slices.ContainsFunc(u.Calls[fn], func(call *dbcall.Call) bool {
		path := dbcall.Path{Root: tx}
		return call.Instr != s.instr && !call.Deferred() && (call.Kind.Runs() || call.Kind == dbcall.Commit) && call.On == path && unwaited(s.instr, call.Instr)
	})
}

// keptByCallback reports a transaction that a callback puts where it can be used later.
func keptByCallback(u *unit, fn *ssa.Function, tx ssa.Value) {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			store, ok := instr.(*ssa.Store)
			if !ok || !isTx(u, store.Val, tx) {
				continue
			}
			switch root := u.TraceAddr(store.Addr).(type) {
			case *ssa.FreeVar, *ssa.Global:
				u.reportAt(fn, store.Pos(), store.Pos(), "the transaction is kept beyond the function that it was given to")
			case *ssa.Parameter:
				if root != tx {
					u.reportAt(fn, store.Pos(), store.Pos(), "the transaction is kept beyond the function that it was given to")
				}
			case *ssa.Alloc:
				if root.Parent() != fn {
					u.reportAt(fn, store.Pos(), store.Pos(), "the transaction is kept beyond the function that it was given to")
				}
			}
		}
	}
}
