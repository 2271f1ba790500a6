package vet

import (
	"go/ast"
	"go/token"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

var rule14 = &finding.Rule{
	ID: "RKV14", Name: "hidden-sqlstate", Severity: finding.Medium, CWE: []int{755}, PCI: finding.PCIData,
	Title:     "An error of the database is put into another by %v, in a function that is retried",
	Why:       "The runner looks for SQLSTATE 40001 with errors.As. It does not find it in a text, so that a conflict is not retried and the client gets a 500.",
	Fix:       "Use %w.",
	Silent:    "Outside of functions that something retries. Low with package txn, which sees the error that the statement had.",
	Bad:       "return fmt.Errorf(\"load account: %v\", err)",
	Good:      "return fmt.Errorf(\"load account: %w\", err)",
	Rowkeeper: "txn.RunInTx",
}

func hiddenSQLState(u *unit) {
	for fn, run := range retried(u) {
		for _, block := range fn.Blocks {
			for _, instr := range block.Instrs {
				call, ok := instr.(*ssa.Call)
				if !ok || !returned(u, call) {
					continue
				}
				var extras []extra
				if run.Rowkeeper {
					extras = append(extras, severity(finding.Low))
				}
				switch dbcall.FullName(dbcall.Callee(call)) {
				case "fmt.Errorf":
					hiddenByVerb(u, call, extras)
				case "errors.New":
					if textOfDBError(u, call.Call.Args[0]) {
						u.report(call, "errors.New keeps only the text of the database error, so that the runner does not see its SQLSTATE", extras...)
					}
				}
			}
		}
	}
}

func isErrorText(call *ssa.Call) bool {
	fn := dbcall.Callee(call)
	return fn != nil && fn.Name() == "Error" && fn.Signature().Recv() != nil && fn.Signature().Params().Len() == 0
}

// textOfDBError reports whether a part of a string is the text of a database error.
func textOfDBError(u *unit, v ssa.Value) bool {
	for _, part := range u.Text(v) {
		if call, ok := part.Value.(*ssa.Call); ok && isErrorText(call) && u.IsDBError(dbcall.Args(call)[0]) {
			return true
		}
	}
	return false
}

func hiddenByVerb(u *unit, call *ssa.Call, extras []extra) {
	format, ok := u.ConstText(call.Call.Args[0])
	if !ok {
		return
	}
	args, known := dbcall.Elements(call.Call.Args[1])
	if !known {
		return
	}
	for _, piece := range dbcall.SplitFormat(format) {
		if piece.Arg < 0 || piece.Arg >= len(args) {
			continue
		}
		arg := args[piece.Arg]
		if made, ok := arg.(*ssa.MakeInterface); ok {
			arg = made.X
		}
		if text, ok := arg.(*ssa.Call); ok && isErrorText(text) {
			if u.IsDBError(dbcall.Args(text)[0]) {
				u.report(call, "the text of the database error hides its SQLSTATE from the runner", extras...)
			}
			continue
		}
		if piece.Text != "%w" && u.IsDBError(arg) {
			if edit, ok := verbEdit(u, call, piece.Arg); ok {
				extras = append(extras, fix("Use %w", edit))
			}
			u.report(call, piece.Text+" hides the SQLSTATE of the database error from the runner", extras...)
		}
	}
}

// verbEdit replaces the verb of an argument in the literal format of a call.
func verbEdit(u *unit, call *ssa.Call, arg int) (analysis.TextEdit, bool) {
	expr := u.Expr(call)
	if expr == nil || len(expr.Args) == 0 {
		return analysis.TextEdit{}, false
	}
	literal, ok := expr.Args[0].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return analysis.TextEdit{}, false
	}
	offset := 0
	for _, piece := range dbcall.SplitFormat(literal.Value) {
		if piece.Arg == arg {
			pos := literal.Pos() + token.Pos(offset)
			return analysis.TextEdit{Pos: pos, End: pos + token.Pos(len(piece.Text)), NewText: []byte("%w")}, true
		}
		if piece.Arg < 0 && piece.Text == "%" {
			offset++ // it stands for two
		}
		offset += len(piece.Text)
	}
	return analysis.TextEdit{}, false
}

// returned reports whether an error gets to the caller.
func returned(u *unit, err ssa.Value) bool {
	seen := map[ssa.Value]bool{}
	var follow func(v ssa.Value) bool
	follow = func(v ssa.Value) bool {
		if seen[v] {
			return false
		}
		seen[v] = true
		for _, use := range dbcall.Uses(v) {
			switch use := use.(type) {
			case *ssa.Return:
				return true
			case *ssa.Phi, *ssa.MakeInterface, *ssa.ChangeInterface:
				if follow(use.(ssa.Value)) {
					return true
				}
			case *ssa.Store:
				_, element := use.Addr.(*ssa.IndexAddr)
				if use.Val == v && !element {
					return true // a named result, most likely
				}
			}
		}
		return false
	}
	return follow(err)
}

// retried returns the functions that a runner calls again after a conflict, and those of
// this package that they call with the transaction.
func retried(u *unit) map[*ssa.Function]*dbcall.Run {
	found := map[*ssa.Function]*dbcall.Run{}
	var add func(fn *ssa.Function, run *dbcall.Run, depth int)
	add = func(fn *ssa.Function, run *dbcall.Run, depth int) {
		if found[fn] != nil || depth > 4 {
			return
		}
		found[fn] = run
		for _, block := range fn.Blocks {
			for _, instr := range block.Instrs {
				call, ok := instr.(ssa.CallInstruction)
				if !ok {
					continue
				}
				callee := call.Common().StaticCallee()
				if callee != nil && callee.Pkg == u.SSA && len(callee.Blocks) > 0 && takesHandle(u, call) {
					add(callee, run, depth+1)
				}
			}
		}
	}
	for _, fn := range u.Funcs {
		for _, run := range u.Runs[fn] {
			if run.Retries && run.Callback != nil {
				add(run.Callback, run, 0)
			}
		}
	}
	return found
}

// takesHandle reports whether an argument of a call is a transaction or holds one.
func takesHandle(u *unit, call ssa.CallInstruction) bool {
	for _, arg := range dbcall.Args(call) {
		switch dbcall.ClassOf(arg.Type()) {
		case dbcall.Tx, dbcall.Either:
			return true
		}
	}
	for _, c := range u.Calls[call.Parent()] {
		if c.Instr == call && c.Via != nil && c.Class == dbcall.Tx {
			return true
		}
	}
	return false
}
