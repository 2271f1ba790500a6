package vet

import (
	"go/types"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/sqlshape"
)

var rule16 = &finding.Rule{
	ID: "RKV16", Name: "bind-row", Severity: finding.High, CWE: []int{915}, API: "API3", PCI: finding.PCIAccess,
	Title:     "A request is decoded into the struct that is written as a row, with its owner, role or balance",
	Why:       "A client that sends the field sets it: it makes itself an administrator, or gives the row to somebody else.",
	Fix:       "Decode into a struct that has only what a client may set.",
	Silent:    "For fields that JSON leaves out, and those that are assigned after the decoding.",
	Bad:       "json.NewDecoder(r.Body).Decode(&user)\ndb.Exec(ctx, \"insert into users (name, role) values ($1, $2)\", user.Name, user.Role)",
	Good:      "user.Role = \"member\"",
	Rowkeeper: "Table.Patch",
}

func bindRow(u *unit) {
	for _, fn := range u.Funcs {
		for _, block := range fn.Blocks {
			for _, instr := range block.Instrs {
				call, ok := instr.(*ssa.Call)
				if !ok {
					continue
				}
				if target := decodeTarget(call); target != nil {
					writtenAfter(u, fn, call, bare(target))
				}
			}
		}
	}
}

var decoders = map[string]int{
	"encoding/json.Decoder.Decode": 1, "encoding/json.Unmarshal": 1, "github.com/go-chi/render.DecodeJSON": 1, "github.com/go-chi/render.Bind": 1,
}

var binders = map[string]bool{"ShouldBindJSON": true, "BindJSON": true, "ShouldBind": true, "Bind": true, "BodyParser": true, "ShouldBindWith": true}

// decodeTarget returns what a call decodes a request into, or nil.
func decodeTarget(call *ssa.Call) ssa.Value {
	fn := dbcall.Callee(call)
	if fn == nil {
		return nil
	}
	args := dbcall.Args(call)
	if i, ok := decoders[dbcall.FullName(fn)]; ok && i < len(args) {
		return args[i]
	}
	if recv := fn.Signature().Recv(); recv != nil && contextTypes[typeName(recv.Type())] && binders[fn.Name()] {
		return args[1]
	}
	return nil
}

// writtenAfter reports the first write of a sensitive field of the struct.
func writtenAfter(u *unit, fn *ssa.Function, decode *ssa.Call, target ssa.Value) {
	fields := sensitiveFields(u, target.Type())
	if len(fields) == 0 || !inHandler(fn) {
		return
	}
	base := u.Trace(target)
	for i := range fields {
		if setAfter(u, fn, decode, base, fields[i].index) {
			fields[i].name = ""
		}
	}
	for _, call := range u.Calls[fn] {
		if call.Kind != dbcall.Exec && call.Kind != dbcall.QueryRow && call.Kind != dbcall.Query || !dbcall.Reaches(decode, call.Instr, nil) {
			continue
		}
		if name := writesField(u, call, base, fields); name != "" {
			u.report(call.Instr, "the client sets "+name+", because the request was decoded into the struct that is written", statement(call.SQL))
			return
		}
	}
	for _, name := range gormWrites(u, fn, decode, base, fields) {
		u.report(name.call, "the client sets "+name.field+", because the request was decoded into the struct that is written")
		return
	}
}

// inHandler reports whether a function has a request.
func inHandler(fn *ssa.Function) bool {
	for ; fn != nil; fn = fn.Parent() {
		if slices.ContainsFunc(fn.Params, func(p *ssa.Parameter) bool { return isRequest(p.Type()) }) {
			return true
		}
	}
	return false
}

type sensitiveField struct {
	name   string // "" if it is set after the decoding
	column string
	index  int
}

var sensitive = []string{"userid", "ownerid", "tenantid", "orgid", "organizationid", "accountid", "role", "roles", "isadmin", "admin", "superuser",
	"issuperuser", "balance", "credit", "credits", "verified", "emailverified", "permissions"}

// sensitiveFields returns the fields of a struct that JSON decodes, and that the server
// should set.
func sensitiveFields(u *unit, t types.Type) (fields []sensitiveField) {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	for i := range s.NumFields() {
		f, tag := s.Field(i), reflect.StructTag(s.Tag(i))
		if !f.Exported() || strings.HasPrefix(tag.Get("json"), "-") {
			continue
		}
		name := strings.ToLower(strings.ReplaceAll(f.Name(), "_", ""))
		owner := tag.Get("owner")
		if slices.Contains(sensitive, name) || strings.Contains(owner, "owner") || strings.Contains(owner, "server") {
			column, _, _ := strings.Cut(tag.Get("db"), ",")
			fields = append(fields, sensitiveField{f.Name(), column, i})
		}
	}
	return fields
}

// setAfter reports whether the function assigns a field, or all of the struct, after the
// decoding.
func setAfter(u *unit, fn *ssa.Function, decode *ssa.Call, base dbcall.Path, field int) bool {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			store, ok := instr.(*ssa.Store)
			if !ok || !dbcall.Reaches(decode, store, nil) {
				continue
			}
			if addr, ok := store.Addr.(*ssa.FieldAddr); ok && addr.Field == field && u.Trace(addr.X) == base {
				return true
			}
		}
	}
	return false
}

// writesField returns the sensitive field that a statement writes, or "".
func writesField(u *unit, call *dbcall.Call, base dbcall.Path, fields []sensitiveField) string {
	s := sqlshape.Parse(call.SQL)
	if !call.Const || s.Verb != "insert" && s.Verb != "update" {
		return ""
	}
	for _, f := range fields {
		if f.name == "" {
			continue
		}
		for i, arg := range call.Args {
			if arg == nil {
				continue
			}
			if whole(u, arg, base) { // the whole struct, with names: sqlx
				if f.column != "" && (slices.Contains(s.Columns, f.column) || changes(s, f.column)) {
					return f.name
				}
				continue
			}
			if load, ok := arg.(*ssa.UnOp); ok {
				if addr, ok := load.X.(*ssa.FieldAddr); ok && addr.Field == f.index && u.Trace(addr.X) == base && written(s, i) {
					return f.name
				}
			}
		}
	}
	return ""
}

// whole reports whether an argument is the struct, or points to it.
func whole(u *unit, arg ssa.Value, base dbcall.Path) bool {
	arg = bare(arg)
	if load, ok := arg.(*ssa.UnOp); ok {
		if _, field := load.X.(*ssa.FieldAddr); !field && u.Trace(load.X) == base {
			return true
		}
	}
	return u.Trace(arg) == base
}

// written reports whether an argument is a value of the row, and not part of WHERE.
func written(s sqlshape.Statement, arg int) bool {
	param := "$" + string(rune('1'+arg))
	if s.Verb == "insert" {
		return slices.ContainsFunc(s.Values, func(v []sqlshape.Token) bool { return slices.Contains(sqlshape.Params(v), param) })
	}
	return slices.ContainsFunc(s.Set, func(a sqlshape.Assignment) bool { return slices.Contains(sqlshape.Params(a.Expr), param) })
}

type gormWrite struct {
	call  *ssa.Call
	field string
}

// gormWrites finds db.Create(&row) and db.Save(&row).
func gormWrites(u *unit, fn *ssa.Function, decode *ssa.Call, base dbcall.Path, fields []sensitiveField) (found []gormWrite) {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			call, ok := instr.(*ssa.Call)
			if !ok {
				continue
			}
			name := dbcall.FullName(dbcall.Callee(call))
			if name != "gorm.io/gorm.DB.Create" && name != "gorm.io/gorm.DB.Save" && name != "gorm.io/gorm.DB.Updates" {
				continue
			}
			if args := dbcall.Args(call); len(args) < 2 || u.Trace(bare(args[1])) != base || !dbcall.Reaches(decode, call, nil) {
				continue
			}
			for _, f := range fields {
				if f.name != "" {
					found = append(found, gormWrite{call, f.name})
				}
			}
		}
	}
	return found
}
