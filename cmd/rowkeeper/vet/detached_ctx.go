package vet

import (
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

var rule17 = &finding.Rule{
	ID: "RKV17", Name: "detached-ctx", Severity: finding.Low, CWE: []int{1088}, API: "API4",
	Title:     "A statement for a request runs with context.Background",
	Why:       "It goes on, with its locks and its connection, after the client has gone and after every deadline.",
	Fix:       "Pass the context of the request.",
	Silent:    "For Rollback, deferred calls, goroutines, context.WithoutCancel, what comes after a commit, and where no context is in scope.",
	Bad:       "rows, err := db.QueryContext(context.Background(), q)",
	Good:      "rows, err := db.QueryContext(r.Context(), q)",
	Rowkeeper: "",
}

func detachedCtx(u *unit) {
	for _, fn := range u.Funcs {
		if !hasContext(fn) || deferredOrGo(u, fn) {
			continue
		}
		for _, call := range u.Calls[fn] {
			if !call.Kind.Runs() && call.Kind != dbcall.Begin || call.Deferred() || afterCommit(u, fn, call) {
				continue
			}
			if detached(u, call.Instr) {
				u.report(call.Instr, "the statement does not end with the request: its context is context.Background", statement(call.SQL))
			}
		}
	}
}

// hasContext reports whether a context or a request is in scope.
func hasContext(fn *ssa.Function) bool {
	for ; fn != nil; fn = fn.Parent() {
		if slices.ContainsFunc(fn.Params, func(p *ssa.Parameter) bool {
			return (dbcall.IsContext(p.Type()) || isRequest(p.Type())) && p.Name() != "_"
		}) {
			return true
		}
	}
	return false
}

// deferredOrGo reports whether a function literal, or one around it, runs later.
func deferredOrGo(u *unit, fn *ssa.Function) bool {
	for ; fn.Parent() != nil; fn = fn.Parent() {
		if u.RunOf[fn] != nil {
			continue
		}
		if !immediate(u, fn) {
			return true
		}
	}
	return false
}

func immediate(u *unit, fn *ssa.Function) bool {
	for _, block := range fn.Parent().Blocks {
		for _, instr := range block.Instrs {
			if call, ok := instr.(*ssa.Call); ok && u.Function(call.Call.Value) == fn {
				return true
			}
		}
	}
	return false
}

// detached reports whether no context of a call ends with the request.
func detached(u *unit, call ssa.CallInstruction) bool {
	found := false
	for _, arg := range dbcall.Args(call) {
		if !dbcall.IsContext(arg.Type()) {
			continue
		}
		if !background(u, arg, 0) {
			return false
		}
		found = true
	}
	return found
}

// background reports whether a context comes from Background or TODO, also through
// WithTimeout and the like.
func background(u *unit, v ssa.Value, depth int) bool {
	root := u.Trace(v).Root
	if extract, ok := root.(*ssa.Extract); ok {
		root = extract.Tuple
	}
	call, ok := root.(*ssa.Call)
	if !ok || depth > 5 {
		return false
	}
	switch dbcall.FullName(dbcall.Callee(call)) {
	case "context.Background", "context.TODO":
		return true
	case "context.WithTimeout", "context.WithCancel", "context.WithDeadline", "context.WithValue":
		return background(u, call.Call.Args[0], depth+1)
	}
	return false
}

// afterCommit reports whether a Commit comes before the call.
func afterCommit(u *unit, fn *ssa.Function, call *dbcall.Call) bool {
	return slices.ContainsFunc(u.Calls[fn], func(c *dbcall.Call) bool {
		return c.Kind == dbcall.Commit && !c.Deferred() && dbcall.Reaches(c.Instr, call.Instr, nil)
	})
}
