package vet

import (
	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

var rule12 = &finding.Rule{
	ID: "RKV12", Name: "busy-rows", Severity: finding.High, CWE: []int{662}, PCI: finding.PCIData,
	Title:     "A statement goes to a transaction while rows of it are being read",
	Why:       "A transaction has one connection, and that is busy until the rows are read or closed. pgx answers \"conn busy\", lib/pq breaks the connection.",
	Fix:       "Collect the rows first, or close them.",
	Silent:    "On a pool, where each statement has its own connection, and after Close or the end of the loop.",
	Bad:       "rows, err := tx.Query(ctx, q)\n…\nfor rows.Next() {\n\t…\n\ttx.Exec(ctx, \"update …\")\n}",
	Good:      "list, err := pgx.CollectRows(rows, pgx.RowTo[int])\n…\nfor _, id := range list {\n\ttx.Exec(ctx, \"update …\")\n}",
	Rowkeeper: "",
}

func busyRows(u *unit) {
	for _, fn := range u.Funcs {
		for _, query := range u.Calls[fn] {
			if query.Kind != dbcall.Query || query.Via != nil || query.Dest != nil || !oneConnection(query) {
				continue
			}
			rows := rowsOf(query)
			if rows == nil {
				continue
			}
			whileOpen(u, fn, query, rows)
		}
	}
}

func oneConnection(call *dbcall.Call) bool {
	return call.Class == dbcall.Tx || call.Class == dbcall.Conn
}

// rowsOf returns the cursor that a query returns, or nil.
func rowsOf(query *dbcall.Call) ssa.Value {
	v := query.Instr.Value()
	if v == nil {
		return nil
	}
	for _, use := range dbcall.Uses(v) {
		if extract, ok := use.(*ssa.Extract); ok && extract.Index == 0 && dbcall.IsRows(extract.Type()) {
			return extract
		}
	}
	return nil
}

func whileOpen(u *unit, fn *ssa.Function, query *dbcall.Call, rows ssa.Value) {
	isRows := func(v ssa.Value) bool { return u.Trace(v) == dbcall.Path{Root: rows} }
	seen := map[*ssa.BasicBlock]bool{}
	var visit func(b *ssa.BasicBlock, instrs []ssa.Instruction)
	visit = func(b *ssa.BasicBlock, instrs []ssa.Instruction) {
		for _, instr := range instrs {
			if call, ok := instr.(ssa.CallInstruction); ok && instr != ssa.Instruction(query.Instr) {
				if closesRows(call, isRows) {
					return
				}
				if other := statementAt(u, fn, call, query.On); other != nil {
					u.report(call, "the connection of the transaction is busy with the rows of the query before", statement(other.SQL))
				}
			}
		}
		after := afterLoop(b, isRows)
		var failed *ssa.BasicBlock
		if branch := dbcall.Condition(b); branch != nil {
			failed = u.ErrorBranch(branch, query.Instr)
		}
		for _, next := range b.Succs {
			if next != after && next != failed && !seen[next] {
				seen[next] = true
				visit(next, next.Instrs)
			}
		}
	}
	b := query.Instr.Block()
	for i, instr := range b.Instrs {
		if instr == ssa.Instruction(query.Instr) {
			visit(b, b.Instrs[i+1:])
		}
	}
}

// statementAt returns the statement that an instruction sends on the handle, or nil.
func statementAt(u *unit, fn *ssa.Function, instr ssa.CallInstruction, on dbcall.Path) *dbcall.Call {
	if _, ok := instr.(*ssa.Call); !ok {
		return nil
	}
	for _, call := range u.Calls[fn] {
		if call.Instr == instr && call.Kind.Runs() && call.On == on && oneConnection(call) {
			return call
		}
	}
	return nil
}

// closesRows reports whether a call closes the rows, or is given them.
func closesRows(call ssa.CallInstruction, isRows func(ssa.Value) bool) bool {
	if _, ok := call.(*ssa.Call); !ok {
		return false
	}
	fn := dbcall.Callee(call)
	for i, arg := range dbcall.Args(call) {
		if !isRows(arg) {
			continue
		}
		method := i == 0 && fn != nil && fn.Signature().Recv() != nil
		if !method || fn.Name() == "Close" {
			return true
		}
	}
	return false
}

// afterLoop returns the block that follows when rows.Next has returned false, if the
// block ends in that test.
func afterLoop(b *ssa.BasicBlock, isRows func(ssa.Value) bool) *ssa.BasicBlock {
	branch := dbcall.Condition(b)
	if branch == nil {
		return nil
	}
	cond, negated := branch.Cond, false
	if not, ok := cond.(*ssa.UnOp); ok {
		cond, negated = not.X, true
	}
	call, ok := cond.(*ssa.Call)
	if !ok || dbcall.Callee(call) == nil || dbcall.Callee(call).Name() != "Next" || !isRows(dbcall.Args(call)[0]) {
		return nil
	}
	if negated {
		return b.Succs[0]
	}
	return b.Succs[1]
}
