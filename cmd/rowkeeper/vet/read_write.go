package vet

import (
	"slices"
	"strconv"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/sqlshape"
)

// A readWrite is a row that is read, and a write that is computed from it.
type readWrite struct {
	read, write *dbcall.Call
	table       string
	column      string // that is written
	locks       bool   // the read takes a lock
}

// readWrites finds in a function the UPDATEs that set a column of a table to a value
// computed from what an earlier SELECT read from that table, without a condition on it.
func readWrites(u *unit, fn *ssa.Function) (found []readWrite) {
	for _, read := range u.Calls[fn] {
		if read.Kind != dbcall.Query && read.Kind != dbcall.QueryRow || !read.Const {
			continue
		}
		from := sqlshape.Parse(read.SQL)
		if from.Verb != "select" || !from.Known {
			continue
		}
		source := readBy(u, read)
		for _, write := range u.Calls[fn] {
			if write.Instr == read.Instr || !write.Const || write.On != read.On || !dbcall.Reaches(read.Instr, write.Instr, nil) {
				continue
			}
			to := sqlshape.Parse(write.SQL)
			if to.Verb != "update" || !hasTable(from, to.Target.Name) {
				continue
			}
			if column := computed(u, from, to, write, source); column != "" {
				found = append(found, readWrite{read, write, to.Target.Name, column, from.Locks})
			}
		}
	}
	return found
}

func hasTable(s sqlshape.Statement, name string) bool {
	return slices.ContainsFunc(s.Tables, func(t sqlshape.Table) bool { return t.Name == name })
}

// computed returns the column that is set to a value computed from what source gives,
// or "".
func computed(u *unit, from, to sqlshape.Statement, write *dbcall.Call, source func(ssa.Value) bool) string {
	for _, c := range to.Where {
		if isVersion(c.Left.Name) || changes(to, c.Left.Name) || c.Left.Name == "updated_at" {
			return "" // it notices a change
		}
	}
	for _, set := range to.Set {
		params := sqlshape.Params(set.Expr)
		if len(params) != 1 || sqlshape.Mentions(set.Expr, set.Column) || !reads(from, set.Column) {
			continue
		}
		if arg := argument(write, params[0], to); arg != nil && u.Depends(arg, source) {
			return set.Column
		}
	}
	return ""
}

// reads reports whether a SELECT returns a column.
func reads(s sqlshape.Statement, column string) bool {
	for _, item := range s.List {
		if len(item) > 0 && item[len(item)-1].Text == "*" || sqlshape.Mentions(item, column) {
			return true
		}
	}
	return false
}

// argument returns the argument of a parameter, or nil if it is not known.
func argument(call *dbcall.Call, param string, s sqlshape.Statement) ssa.Value {
	if len(param) < 2 || param[0] != '$' {
		return nil
	}
	i, err := strconv.Atoi(param[1:])
	if err != nil || i < 1 || i > len(call.Args) {
		return nil
	}
	return call.Args[i-1]
}

// readBy returns a function that recognises what a statement read: the variables of its
// Scan, or the result of the helper that sent it.
func readBy(u *unit, read *dbcall.Call) func(ssa.Value) bool {
	var values, addrs []ssa.Value
	if read.Via != nil {
		values = append(values, read.Instr.Value())
	}
	if read.Dest != nil {
		addrs = append(addrs, bare(read.Dest))
	}
	cursor := []ssa.Value{}
	if v := read.Instr.Value(); v != nil && read.Via == nil {
		cursor = append(cursor, v)
		for _, use := range dbcall.Uses(v) {
			if extract, ok := use.(*ssa.Extract); ok && extract.Index == 0 {
				cursor = append(cursor, extract)
			}
		}
	}
	for _, v := range cursor {
		scanned, collected := usesOfRows(u, v, read.Instr.Parent())
		addrs, values = append(addrs, scanned...), append(values, collected...)
	}
	return func(v ssa.Value) bool {
		if slices.Contains(values, v) {
			return true
		}
		for _, addr := range addrs {
			if addr == v || sameField(u, addr, v) || fieldOf(u, v, addr) {
				return true
			}
		}
		return false
	}
}

// usesOfRows returns the variables that rows are scanned into, and the results of
// functions that collect them.
func usesOfRows(u *unit, rows ssa.Value, fn *ssa.Function) (addrs, values []ssa.Value) {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			call, ok := instr.(*ssa.Call)
			if !ok {
				continue
			}
			args := dbcall.Args(call)
			callee := dbcall.Callee(call)
			if callee == nil || !slices.ContainsFunc(args, func(arg ssa.Value) bool { return u.Trace(arg) == dbcall.Path{Root: rows} }) {
				continue
			}
			switch {
			case callee.Name() == "Scan" || callee.Name() == "StructScan":
				dests, _ := dbcall.Elements(args[len(args)-1])
				if callee.Name() == "StructScan" {
					dests = args[1:]
				}
				for _, dest := range dests {
					if dest != nil {
						addrs = append(addrs, bare(dest))
					}
				}
			case callee.Signature().Recv() == nil:
				values = append(values, call)
			}
		}
	}
	return addrs, values
}

func bare(v ssa.Value) ssa.Value {
	if made, ok := v.(*ssa.MakeInterface); ok {
		return made.X
	}
	return v
}

// sameField reports whether two addresses are of the same field of the same variable.
func sameField(u *unit, a, b ssa.Value) bool {
	x, ok := a.(*ssa.FieldAddr)
	if !ok {
		return false
	}
	y, ok := b.(*ssa.FieldAddr)
	return ok && x.Field == y.Field && u.Trace(x.X) == u.Trace(y.X)
}

// fieldOf reports whether v is the address of a field of the struct that addr points to.
func fieldOf(u *unit, v, addr ssa.Value) bool {
	field, ok := v.(*ssa.FieldAddr)
	return ok && u.Trace(field.X) == u.Trace(addr)
}
