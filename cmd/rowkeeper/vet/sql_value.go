package vet

import (
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/sqlshape"
)

var rule08 = &finding.Rule{
	ID: "RKV08", Name: "sql-value", Severity: finding.High, CWE: []int{89}, API: "API8", PCI: finding.PCIInjection,
	Title: "A string is put into SQL in the place of a value, or a value of the request anywhere",
	Why:   "A quote in the string ends the literal, and what follows runs as SQL. Critical if the string comes from a request.",
	Fix:   "Write $1, and pass the value as an argument.",
	Silent: "For numbers, constants, placeholders, names that are quoted by Sanitize or pq.QuoteIdentifier, and for identifiers " +
		"that do not visibly come from a request.",
	Bad:       "db.Query(ctx, \"select * from users where name = '\"+name+\"'\")",
	Good:      "db.Query(ctx, \"select * from users where name = $1\", name)",
	Rowkeeper: "owner/rawsql: its text is a constant",
}

func sqlValue(u *unit) {
	for _, fn := range u.Funcs {
		for _, call := range u.Calls[fn] {
			if call.Text == nil || call.Const || call.Via != nil {
				continue
			}
			for _, parts := range u.Texts(call.Text) {
				if unsafeValue(u, call, parts) {
					break
				}
			}
		}
	}
}

// unsafeValue reports the first value that is unsafe in a text, if there is one.
func unsafeValue(u *unit, call *dbcall.Call, parts []dbcall.Part) bool {
	var text strings.Builder
	for _, part := range parts {
		if part.Value == nil {
			text.WriteString(part.Const)
			continue
		}
		place := sqlshape.End(text.String())
		if place == sqlshape.InString {
			text.WriteString("x")
		} else {
			text.WriteString(" " + sqlshape.HoleText + " ")
		}
		if !dbcall.IsString(part.Value.Type()) || clean(u, part.Value) {
			continue
		}
		if name := fromRequest(u, part.Value); name != "" && !checked(u, part.Value) {
			u.report(call.Instr, "a value of the request ("+name+") is put into the SQL", severity(finding.Critical), statement(text.String()))
			return true
		}
		if place == sqlshape.InString {
			u.report(call.Instr, "a string is put into the SQL between quotes, in the place of a value", statement(text.String()))
			return true
		}
		if place == sqlshape.ForValue && part.Verb == "%q" {
			u.report(call.Instr, "%q does not quote for SQL", statement(text.String()))
			return true
		}
	}
	return false
}

// clean reports whether a string is known to be harmless: made of constants or numbers,
// or quoted.
func clean(u *unit, v ssa.Value) bool {
	return u.Depends(v, isQuoting) || onlyConstants(u, v, 0)
}

// isQuoting reports whether a value is the result of a function that quotes or checks.
func isQuoting(v ssa.Value) bool {
	call, ok := v.(*ssa.Call)
	if !ok {
		return false
	}
	fn := dbcall.Callee(call)
	if fn == nil {
		return false
	}
	name := strings.ToLower(fn.Name())
	for _, word := range []string{"quote", "sanitize", "escape", "placeholder", "replaceall", "replace", "itoa", "formatint", "hex", "base64", "uuid"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

func onlyConstants(u *unit, v ssa.Value, depth int) bool {
	if depth > 8 {
		return false
	}
	all := func(values []ssa.Value) bool {
		for _, x := range values {
			if !onlyConstants(u, x, depth+1) {
				return false
			}
		}
		return len(values) > 0
	}
	switch v := v.(type) {
	case *ssa.Const:
		return true
	case *ssa.Phi:
		return all(v.Edges)
	case *ssa.BinOp:
		return all([]ssa.Value{v.X, v.Y})
	case *ssa.ChangeType:
		return onlyConstants(u, v.X, depth+1)
	case *ssa.Convert: // string(constant of a named type), but not string(bytes)
		return onlyConstants(u, v.X, depth+1)
	case *ssa.MakeInterface:
		return !dbcall.IsString(v.X.Type()) && isNumber(v.X.Type()) || onlyConstants(u, v.X, depth+1)
	case *ssa.Extract:
		return elementOfConstants(u, v, all)
	case *ssa.UnOp:
		if addr, ok := v.X.(*ssa.IndexAddr); ok {
			return literalElements(u, addr.X, all)
		}
		path := u.Trace(v)
		if path.Fields == "" && path.Root != nil && path.Root != ssa.Value(v) {
			return onlyConstants(u, path.Root, depth+1)
		}
		if alloc, ok := v.X.(*ssa.Alloc); ok {
			var values []ssa.Value
			for _, store := range u.Stores(alloc) {
				values = append(values, store.Val)
			}
			return all(values)
		}
	case *ssa.Call:
		if fn := dbcall.Callee(v); fn != nil && (fn.FullName() == "fmt.Sprintf" || fn.FullName() == "fmt.Sprint") {
			args, known := dbcall.Elements(v.Call.Args[len(v.Call.Args)-1])
			return known && all(append(args, v.Call.Args[0]))
		}
	}
	return false
}

// elementOfConstants recognises the element of a range over a literal.
func elementOfConstants(u *unit, v *ssa.Extract, all func([]ssa.Value) bool) bool {
	if next, ok := v.Tuple.(*ssa.Next); ok {
		if iter, ok := next.Iter.(*ssa.Range); ok {
			return literalElements(u, iter.X, all)
		}
	}
	return false
}

// literalElements reports whether a slice, an array or a map is a literal in this
// function, all of whose elements are constant.
func literalElements(u *unit, list ssa.Value, all func([]ssa.Value) bool) bool {
	var values []ssa.Value
	switch list := u.Trace(list).Root.(type) {
	case *ssa.Slice:
		elements, known := dbcall.Elements(list)
		return known && all(elements)
	case *ssa.Alloc:
		for _, use := range dbcall.Uses(list) {
			if index, ok := use.(*ssa.IndexAddr); ok {
				for _, s := range dbcall.Uses(index) {
					if store, ok := s.(*ssa.Store); ok && store.Addr == index {
						values = append(values, store.Val)
					}
				}
			}
		}
	case *ssa.MakeMap:
		for _, use := range dbcall.Uses(list) {
			if update, ok := use.(*ssa.MapUpdate); ok {
				values = append(values, update.Key)
			}
		}
	}
	return all(values)
}

// checked reports whether the function compares the value, or looks it up, so that it
// may be one of a list.
func checked(u *unit, v ssa.Value) bool {
	if v.Parent() == nil {
		return false
	}
	path := u.Trace(v)
	for _, block := range v.Parent().Blocks {
		for _, instr := range block.Instrs {
			var operands []ssa.Value
			switch instr := instr.(type) {
			case *ssa.BinOp:
				if op := instr.Op.String(); op == "==" || op == "!=" {
					if emptyText(instr.X) || emptyText(instr.Y) {
						continue
					}
					operands = []ssa.Value{instr.X, instr.Y}
				}
			case *ssa.Lookup:
				operands = []ssa.Value{instr.Index}
			case *ssa.Call:
				if fn := dbcall.Callee(instr); fn != nil && (instr.Type().String() == "bool" || strings.HasPrefix(strings.ToLower(fn.Name()), "valid")) {
					operands = dbcall.Args(instr)
				}
			}
			for _, operand := range operands {
				if u.Trace(operand) == path {
					return true
				}
			}
		}
	}
	return false
}

func emptyText(v ssa.Value) bool {
	c, ok := v.(*ssa.Const)
	return ok && c.Value != nil && c.Value.ExactString() == `""`
}
