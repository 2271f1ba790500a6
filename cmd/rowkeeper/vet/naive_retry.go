package vet

import (
	"go/constant"
	"go/token"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

var rule13 = &finding.Rule{
	ID: "RKV13", Name: "naive-retry", Severity: finding.Medium, CWE: []int{799}, API: "API4", PCI: finding.PCILogic,
	Title: "A loop retries SQL after a conflict without a bound and without a wait, or inside the failed transaction",
	Why: "Under load each attempt makes the next conflict more likely, and the loop does not end. Inside the failed transaction " +
		"every statement gets SQLSTATE 25P02: such a retry never works (High).",
	Fix:       "Begin a new transaction for each attempt, bound them, and wait with jitter in between.",
	Silent:    "For loops that do not test a SQLSTATE, those with a bound or a wait, and savepoints.",
	Bad:       "for {\n\terr := transfer(db)\n\tif !isSerializationFailure(err) {\n\t\treturn err\n\t}\n}",
	Good:      "for attempt := range 5 {\n\t…\n\ttime.Sleep(jitter(attempt))\n}",
	Rowkeeper: "txn.Run",
}

func naiveRetry(u *unit) {
	for _, fn := range u.Funcs {
		for _, block := range fn.Blocks {
			for _, instr := range block.Instrs {
				if test, ok := conflictTest(u, instr); ok && dbcall.InLoop(test) {
					retryAround(u, fn, test)
				}
			}
		}
	}
}

// conflictTest reports whether an instruction tests for a serialization failure or a
// deadlock: itself, or in a function of this package.
func conflictTest(u *unit, instr ssa.Instruction) (ssa.Instruction, bool) {
	switch instr := instr.(type) {
	case *ssa.BinOp:
		return instr, isConflictCode(instr.X) || isConflictCode(instr.Y)
	case *ssa.Call:
		for _, arg := range instr.Call.Args {
			if isConflictCode(arg) {
				return instr, true
			}
		}
		callee := instr.Call.StaticCallee()
		if callee != nil && callee.Pkg == u.SSA && instr.Type().String() == "bool" {
			return instr, mentionsConflict(callee)
		}
	}
	return nil, false
}

func isConflictCode(v ssa.Value) bool {
	if made, ok := v.(*ssa.MakeInterface); ok {
		v = made.X
	}
	c, ok := v.(*ssa.Const)
	if !ok || c.Value == nil || c.Value.Kind() != constant.String {
		return false
	}
	switch constant.StringVal(c.Value) {
	case "40001", "40P01", "CR000", "serialization_failure", "deadlock_detected":
		return true
	}
	return false
}

func mentionsConflict(fn *ssa.Function) bool {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			for _, operand := range instr.Operands(nil) {
				if *operand != nil && isConflictCode(*operand) {
					return true
				}
			}
		}
	}
	return false
}

func retryAround(u *unit, fn *ssa.Function, test ssa.Instruction) {
	inLoop := func(instr ssa.Instruction) bool { return dbcall.SameLoop(instr, test) }
	var sql ssa.CallInstruction
	begins := false
	for _, begin := range u.Begins(fn) {
		begins = begins || inLoop(begin)
	}
	for _, run := range u.Runs[fn] {
		if inLoop(run.Instr) {
			begins, sql = true, run.Instr
		}
	}
	for _, call := range u.Calls[fn] {
		if strings.Contains(strings.ToLower(call.SQL), "savepoint") && inLoop(call.Instr) {
			return
		}
	}
	for _, call := range u.Calls[fn] {
		if !call.Kind.Runs() && call.Kind != dbcall.Commit || !inLoop(call.Instr) || !repeats(test, call.Instr) {
			continue
		}
		if call.Class == dbcall.Tx && !begins {
			u.report(call.Instr, "the statement is retried inside the transaction that has failed, where nothing works any more", severity(finding.High), statement(call.SQL))
			return
		}
		sql = call.Instr
	}
	if sql == nil {
		sql = failing(u, fn, inLoop)
	}
	if sql == nil || !repeats(test, sql) {
		return
	}
	bounded, waiting := loopBound(u, fn, test), loopWaits(fn, inLoop)
	switch {
	case !bounded && !waiting:
		u.report(sql, "the loop retries after a conflict without a bound and without a wait")
	case !bounded || !waiting:
		u.report(sql, "the loop retries after a conflict without a bound, or without a wait", suspected())
	}
}

// repeats reports whether control gets back to a statement if the test has found a
// conflict.
func repeats(test, statement ssa.Instruction) bool {
	branch := dbcall.Condition(test.Block())
	if branch == nil {
		return true
	}
	found := test.Block().Succs[0]
	cond := branch.Cond
	if not, ok := cond.(*ssa.UnOp); ok {
		cond, found = not.X, test.Block().Succs[1]
	}
	if op, ok := cond.(*ssa.BinOp); ok && op.Op == token.NEQ {
		found = test.Block().Succs[1]
	}
	tested, _ := test.(ssa.Value)
	return cond != tested || found == statement.Block() || blockReaches(found, statement.Block(), nil)
}

// failing returns a call in the loop whose error is one of the database.
func failing(u *unit, fn *ssa.Function, inLoop func(ssa.Instruction) bool) ssa.CallInstruction {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			call, ok := instr.(*ssa.Call)
			if !ok || !inLoop(call) {
				continue
			}
			if err, has := dbcall.ErrorOf(call); has && err != nil && u.IsDBError(err) {
				return call
			}
		}
	}
	return nil
}

// loopBound reports whether some condition of the loop compares a number, or asks the
// context.
func loopBound(u *unit, fn *ssa.Function, test ssa.Instruction) bool {
	for _, block := range fn.Blocks {
		branch := dbcall.Condition(block)
		if branch != nil && dbcall.SameLoop(branch, test) {
			if op, ok := branch.Cond.(*ssa.BinOp); ok && isNumber(op.X.Type()) {
				return true
			}
		}
		for _, instr := range block.Instrs {
			switch instr := instr.(type) {
			case *ssa.Next:
				if dbcall.SameLoop(instr, test) {
					return true
				}
			case *ssa.Call:
				callee := dbcall.Callee(instr)
				if callee != nil && dbcall.SameLoop(instr, test) && (dbcall.FullName(callee) == "context.Context.Err" || dbcall.FullName(callee) == "context.Context.Done") {
					return true
				}
			}
		}
	}
	return false
}

// loopWaits reports whether the loop waits for something: a sleep, a channel, or a
// function that is named so.
func loopWaits(fn *ssa.Function, inLoop func(ssa.Instruction) bool) bool {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			switch instr := instr.(type) {
			case *ssa.Select:
				if inLoop(instr) {
					return true
				}
			case *ssa.UnOp:
				if instr.Op.String() == "<-" && inLoop(instr) {
					return true
				}
			case ssa.CallInstruction:
				callee := dbcall.Callee(instr)
				if callee == nil || !inLoop(instr) {
					continue
				}
				name := strings.ToLower(callee.Name())
				for _, word := range []string{"sleep", "wait", "backoff", "delay", "pause", "after"} {
					if strings.Contains(name, word) {
						return true
					}
				}
			}
		}
	}
	return false
}
