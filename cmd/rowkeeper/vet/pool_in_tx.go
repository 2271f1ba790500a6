package vet

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

var rule01 = &finding.Rule{
	ID: "RKV01", Name: "pool-in-tx", Severity: finding.High, CWE: []int{662}, PCI: finding.PCILogic,
	Title: "A statement goes to the pool while a transaction of that pool is open",
	Why: "It is outside of the transaction: it does not see its writes, is not undone with it, and is repeated by a retry. It takes a " +
		"second connection while the first holds locks, so that a busy pool deadlocks.",
	Fix:       "Send the statement through the transaction.",
	Silent:    "If it cannot be shown that the transaction came from this pool, after Commit and Rollback, and in functions that run after the commit.",
	Bad:       "tx, err := s.db.Begin(ctx)\n…\n_, err = s.db.Exec(ctx, \"update …\")",
	Good:      "tx, err := s.db.Begin(ctx)\n…\n_, err = tx.Exec(ctx, \"update …\")",
	Rowkeeper: "txn.Run",
}

func poolInTx(u *unit) {
	begun := begunFields(u)
	for _, fn := range u.Funcs {
		for _, begin := range u.Begins(fn) {
			afterBegin(u, fn, begin)
		}
		for _, run := range u.Runs[fn] {
			inCallback(u, run)
		}
		besideTx(u, fn, begun)
	}
}

// afterBegin reports statements on the pool between Begin and the end.
func afterBegin(u *unit, fn *ssa.Function, begin *ssa.Call) {
	pool, ok := u.PoolOf(begin)
	tx := txValue(begin)
	if !ok || tx == nil || sameClass(pool) {
		return
	}
	u.WalkOpen(begin, func(instr ssa.Instruction) bool {
		if _, deferred := instr.(*ssa.Defer); !deferred && (ends(u, instr, tx) || instr == ssa.Instruction(begin)) {
			return false
		}
		for _, call := range u.Calls[fn] {
			if call.Instr == instr && onPool(call, pool) {
				u.reportPool(call, txName(u, begin))
			}
		}
		return true
	})
}

// sameClass reports whether the pool is itself a transaction or one connection, on which
// statements are part of the transaction.
func sameClass(pool dbcall.Path) bool {
	if pool.Root == nil || pool.Fields != "" {
		return false
	}
	c := dbcall.ClassOf(pool.Root.Type())
	return c == dbcall.Conn || c == dbcall.Tx
}

// onPool reports whether a call sends a statement to the pool, now.
func onPool(call *dbcall.Call, pool dbcall.Path) bool {
	if _, ok := call.Instr.(*ssa.Call); !ok {
		return false
	}
	return call.Kind.Runs() && call.On == pool && call.Class != dbcall.Tx && call.Class != dbcall.Conn
}

// inCallback reports statements on the pool in the function that a runner calls.
func inCallback(u *unit, run *dbcall.Run) {
	if run.Callback == nil || sameClass(run.Pool) || run.Pool == (dbcall.Path{}) {
		return
	}
	name := ""
	if params := run.TxParams(); len(params) > 0 && params[0].Name() != "_" {
		name = params[0].Name()
	}
	for _, call := range u.Calls[run.Callback] {
		if onPool(call, run.Pool) || besideQueries(call, run) {
			u.reportPool(call, name)
		}
	}
}

// besideQueries recognises sqlc: the callback has a Queries on the transaction, and a
// method is called on the Queries of the same store.
func besideQueries(call *dbcall.Call, run *dbcall.Run) bool {
	if call.Via == nil || call.Via.Signature().Recv() == nil || run.Pool.Root == nil || call.On.Root != run.Pool.Root || call.Class == dbcall.Tx {
		return false
	}
	for _, tx := range run.TxParams() {
		if types.Identical(call.Via.Signature().Recv().Type(), tx.Type()) {
			return true
		}
	}
	return false
}

// besideTx reports statements on the only pool of a store, in a function that has a
// transaction as a parameter.
func besideTx(u *unit, fn *ssa.Function, begun map[string]bool) {
	if fn.Parent() != nil || u.RunOf[fn] != nil {
		return
	}
	var tx *ssa.Parameter
	for _, param := range fn.Params {
		if dbcall.ClassOf(param.Type()) == dbcall.Tx {
			tx = param
		}
	}
	if tx == nil || fn.Signature.Recv() != nil && tx == fn.Params[0] || u.ComparesToNil(tx) {
		return
	}
	for _, call := range u.Calls[fn] {
		key := fieldKey(call.On)
		if key == "" || !begun[key] || call.Class != dbcall.Pool || !onPool(call, call.On) || pools(call.On.Root.Type()) != 1 {
			continue
		}
		u.reportPool(call, tx.Name())
	}
}

// begunFields returns the fields on which the package begins transactions.
func begunFields(u *unit) map[string]bool {
	begun := map[string]bool{}
	for _, fn := range u.Funcs {
		for _, begin := range u.Begins(fn) {
			if pool, ok := u.PoolOf(begin); ok {
				begun[fieldKey(pool)] = true
			}
		}
		for _, run := range u.Runs[fn] {
			begun[fieldKey(run.Pool)] = true
		}
	}
	return begun
}

// fieldKey names a field of a type, or a variable of a package.
func fieldKey(path dbcall.Path) string {
	if path.Root == nil || path.Fields == "" || strings.Contains(path.Fields, "(") {
		return ""
	}
	return types.TypeString(path.Root.Type(), nil) + path.Fields
}

// pools counts the pools among the fields of a struct.
func pools(t types.Type) int {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return 0
	}
	n := 0
	for i := range s.NumFields() {
		if dbcall.ClassOf(s.Field(i).Type()) == dbcall.Pool {
			n++
		}
	}
	return n
}

func (u *unit) reportPool(call *dbcall.Call, tx string) {
	where := "the transaction"
	if tx != "" {
		where = tx
	}
	message := "the statement goes to the pool while " + where + " is open"
	if call.Via != nil {
		message = call.Via.Name() + " sends a statement to the pool while " + where + " is open"
	}
	extras := []extra{statement(call.SQL)}
	if tx != "" && call.Via == nil {
		if expr := u.Expr(call.Instr); expr != nil {
			if selector, ok := expr.Fun.(*ast.SelectorExpr); ok {
				extras = append(extras, fix("Send it through "+tx, edit(selector.X, tx)))
			}
		}
	}
	u.report(call.Instr, message, extras...)
}

// txName returns the name of the variable that a Begin is assigned to, or "".
func txName(u *unit, begin *ssa.Call) string {
	expr := u.Expr(begin)
	if expr == nil {
		return ""
	}
	name := ""
	for _, file := range u.Pass.Files {
		if file.FileStart > expr.Pos() || expr.Pos() >= file.FileEnd {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			assign, ok := n.(*ast.AssignStmt)
			if ok && len(assign.Rhs) == 1 && ast.Unparen(assign.Rhs[0]) == ast.Expr(expr) {
				if id, ok := assign.Lhs[0].(*ast.Ident); ok && id.Name != "_" {
					name = id.Name
				}
			}
			return name == ""
		})
	}
	return name
}
