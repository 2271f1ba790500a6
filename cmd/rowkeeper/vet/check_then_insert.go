package vet

import (
	"go/constant"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/sqlshape"
)

var rule15 = &finding.Rule{
	ID: "RKV15", Name: "check-then-insert", Severity: finding.Medium, CWE: []int{367}, PCI: finding.PCILogic,
	Title:  "A SELECT decides whether a row is inserted into the same table",
	Why:    "Two requests at once both find nothing, and both insert.",
	Fix:    "Add a UNIQUE constraint, insert, and handle the violation.",
	Silent: "If a unique key of the export covers the look-up, with ON CONFLICT, in SERIALIZABLE transactions, with a lock, and if the violation is handled. Without an export, it is suspected only, except for limits on a count.",
	Bad:    "db.QueryRow(ctx, \"select count(*) from users where email = $1\", email).Scan(&n)\nif n == 0 {\n\tdb.Exec(ctx, \"insert into users (email) values ($1)\", email)\n}",
	Good:   "_, err := db.Exec(ctx, \"insert into users (email) values ($1)\", email)\nif isUniqueViolation(err) { … }",

	Rowkeeper: "errs.Constraint",
}

func checkThenInsert(u *unit) {
	for _, fn := range u.Funcs {
		if setsLevel(u, fn) || handlesViolation(u, fn) {
			continue
		}
		for _, read := range u.Calls[fn] {
			from := sqlshape.Parse(read.SQL)
			if !read.Const || from.Verb != "select" || from.Locks || read.Kind == dbcall.Exec {
				continue
			}
			checked, ok := lookUp(read.SQL, from)
			if !ok {
				continue
			}
			for _, write := range u.Calls[fn] {
				if write.Const && write.Instr != read.Instr && write.On == read.On {
					insertAfter(u, read, write, checked)
				}
			}
		}
	}
}

// lookUp returns the SELECT from one table that a statement is, or that its EXISTS has.
func lookUp(sql string, s sqlshape.Statement) (sqlshape.Statement, bool) {
	if s.Known && len(s.Tables) == 1 {
		return s, true
	}
	_, inner, ok := strings.Cut(strings.ToLower(sql), "exists")
	start, end := strings.IndexByte(inner, '('), strings.LastIndexByte(inner, ')')
	if !ok || start < 0 || end <= start {
		return s, false
	}
	in := sqlshape.Parse(inner[start+1 : end])
	return in, in.Known && len(in.Tables) == 1
}

func insertAfter(u *unit, read, write *dbcall.Call, checked sqlshape.Statement) {
	table := checked.Tables[0].Name
	to := sqlshape.Parse(write.SQL)
	if to.Verb != "insert" || to.Target.Name != table || to.OnConflict || snapshot(u, write) {
		return
	}
	branch := decides(u, read, write)
	if branch == nil {
		return
	}
	limit := isLimit(branch.Cond)
	if !limit && covered(u, table, checked) {
		return
	}
	var extras []extra
	if u.settings.schema[table] == nil && !limit {
		extras = append(extras, suspected())
	}
	u.report(write.Instr, "whether a row is inserted into "+table+" depends on a SELECT before, which another request may overtake",
		append(extras, statement(write.SQL))...)
}

// snapshot reports whether a statement is in a transaction that fails on conflicts, or
// one whose level is not seen.
func snapshot(u *unit, call *dbcall.Call) bool {
	if call.Class == dbcall.Pool {
		return false
	}
	return !readCommitted(u, call)
}

// decides returns a condition that depends on what was read, and without which control
// does not get to the write, or nil.
func decides(u *unit, read, write *dbcall.Call) *ssa.If {
	source := readBy(u, read)
	for b := write.Instr.Block(); b != nil; b = b.Idom() {
		parent := b.Idom()
		if parent == nil {
			break
		}
		branch := dbcall.Condition(parent)
		if branch == nil || !dbcall.Reaches(read.Instr, branch, nil) || reachedByBoth(parent, write.Instr.Block()) {
			continue
		}
		isNoRows := func(v ssa.Value) bool {
			load, ok := v.(*ssa.UnOp)
			if !ok {
				return false
			}
			g, ok := load.X.(*ssa.Global)
			return ok && g.Name() == "ErrNoRows"
		}
		if !isErrorTest(branch.Cond) && u.Depends(branch.Cond, source) || u.Depends(branch.Cond, isNoRows) {
			return branch
		}
	}
	return nil
}

// isErrorTest reports whether a condition compares an error to nil.
func isErrorTest(cond ssa.Value) bool {
	op, ok := cond.(*ssa.BinOp)
	return ok && (isNil(op.X) || isNil(op.Y)) && (dbcall.IsError(op.X.Type()) || dbcall.IsError(op.Y.Type()))
}

// reachedByBoth reports whether both branches of a block get to the other block.
func reachedByBoth(b, target *ssa.BasicBlock) bool {
	return slices.IndexFunc(b.Succs, func(next *ssa.BasicBlock) bool {
		return next != target && !blockReaches(next, target, b)
	}) < 0
}

// blockReaches reports whether control gets from one block to another without passing a
// third, if that is not nil.
func blockReaches(from, to, not *ssa.BasicBlock) bool {
	seen := map[*ssa.BasicBlock]bool{}
	if not != nil {
		seen[not] = true
	}
	var walk func(b *ssa.BasicBlock) bool
	walk = func(b *ssa.BasicBlock) bool {
		if b == to {
			return true
		}
		if seen[b] {
			return false
		}
		seen[b] = true
		return slices.ContainsFunc(b.Succs, walk)
	}
	return walk(from)
}

// isLimit reports whether a condition compares a count with something other than 0 or 1.
func isLimit(cond ssa.Value) bool {
	op, ok := cond.(*ssa.BinOp)
	if !ok || !isNumber(op.X.Type()) || types.Identical(op.X.Type(), types.Typ[types.Bool]) {
		return false
	}
	switch op.Op.String() {
	case ">=", ">", "<", "<=":
	default:
		return false
	}
	for _, v := range []ssa.Value{op.X, op.Y} {
		if c, ok := v.(*ssa.Const); ok && c.Value != nil && c.Value.Kind() == constant.Int {
			n, _ := constant.Int64Val(c.Value)
			return n > 1
		}
	}
	return true
}

// covered reports whether the columns that were compared include a unique key.
func covered(u *unit, table string, checked sqlshape.Statement) bool {
	schema := u.settings.schema[table]
	if schema == nil {
		return false
	}
	return slices.ContainsFunc(schema.Unique, func(key []string) bool {
		for _, column := range key {
			if !slices.ContainsFunc(checked.Where, func(c sqlshape.Condition) bool {
				return c.Op == "=" && c.Left.Name == strings.ToLower(column) || c.Op == "" && sqlshape.Mentions(c.Text, strings.ToLower(column))
			}) {
				return false
			}
		}
		return len(key) > 0
	})
}

// handlesViolation reports whether the function looks for a unique violation.
func handlesViolation(u *unit, fn *ssa.Function) bool {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			for _, operand := range instr.Operands(nil) {
				if *operand == nil {
					continue
				}
				if c, ok := bare(*operand).(*ssa.Const); ok && c.Value != nil && c.Value.Kind() == constant.String {
					if text := constant.StringVal(c.Value); text == "23505" || text == "unique_violation" {
						return true
					}
				}
			}
			if call, ok := instr.(*ssa.Call); ok {
				if callee := dbcall.Callee(call); callee != nil {
					name := strings.ToLower(callee.Name())
					if strings.Contains(name, "unique") || strings.Contains(name, "duplicate") || strings.Contains(name, "violation") || strings.Contains(name, "conflict") {
						return true
					}
				}
			}
		}
	}
	return false
}
