package vet

import (
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

var rule10 = &finding.Rule{
	ID: "RKV10", Name: "err-to-client", Severity: finding.Medium, CWE: []int{209}, API: "API8", PCI: finding.PCIData,
	Title:     "The text of a database error is in the response",
	Why:       "It names tables, columns, constraints and values of other rows, and the client cannot do anything with it.",
	Fix:       "Log the error, and answer with a text of your own.",
	Silent:    "For errors that do not visibly come from the database, and where the error was compared to a sentinel such as sql.ErrNoRows.",
	Bad:       "http.Error(w, err.Error(), http.StatusInternalServerError)",
	Good:      "log.Error(\"load account\", \"err\", err)\nhttp.Error(w, \"internal error\", http.StatusInternalServerError)",
	Rowkeeper: "errs.Catalog.Handler",
}

// A sink writes its arguments, from an index on, to the client.
func sinkFrom(u *unit, call *ssa.Call) int {
	fn := dbcall.Callee(call)
	if fn == nil {
		return -1
	}
	args := dbcall.Args(call)
	switch dbcall.FullName(fn) {
	case "net/http.Error":
		return 1
	case "fmt.Fprint", "fmt.Fprintf", "fmt.Fprintln", "io.WriteString":
		if isWriter(u, args[0]) {
			return 1
		}
	case "net/http.ResponseWriter.Write":
		return 1
	case "encoding/json.Encoder.Encode":
		if made, ok := u.Trace(args[0]).Root.(*ssa.Call); ok && len(made.Call.Args) == 1 && isWriter(u, made.Call.Args[0]) {
			return 1
		}
	case "github.com/labstack/echo.NewHTTPError", "github.com/gofiber/fiber.NewError":
		return 1
	}
	if recv := fn.Signature().Recv(); recv != nil && contextTypes[typeName(recv.Type())] {
		switch fn.Name() {
		case "JSON", "IndentedJSON", "PureJSON", "String", "AbortWithStatusJSON", "HTML", "XML", "SendString", "JSONPretty", "Send", "JSONBlob", "Blob":
			return 1
		}
	}
	return -1
}

func isWriter(u *unit, v ssa.Value) bool {
	if typeName(v.Type()) == "net/http.ResponseWriter" {
		return true
	}
	root := u.Trace(v).Root
	return root != nil && typeName(root.Type()) == "net/http.ResponseWriter"
}

func errToClient(u *unit) {
	for _, fn := range u.Funcs {
		for _, block := range fn.Blocks {
			for _, instr := range block.Instrs {
				call, ok := instr.(*ssa.Call)
				if !ok {
					continue
				}
				first := sinkFrom(u, call)
				if first < 0 {
					continue
				}
				for _, arg := range dbcall.Args(call)[first:] {
					l := leakWalk{u: u, seen: map[ssa.Value]bool{}}
					leaks := l.leaks
					if strings.HasPrefix(dbcall.FullName(dbcall.Callee(call)), "fmt.") {
						leaks = l.formatted
					}
					if leaks(arg) && !isSentinelHere(u, l.err, block) {
						u.report(call, "the text of a database error is sent to the client")
						break
					}
				}
			}
		}
	}
}

// A leakWalk looks for the text of a database error in a value.
type leakWalk struct {
	u    *unit
	seen map[ssa.Value]bool
	err  ssa.Value // that was found
}

func (l *leakWalk) leaks(v ssa.Value) bool {
	if v == nil || l.seen[v] || len(l.seen) > 200 {
		return false
	}
	l.seen[v] = true
	switch v := v.(type) {
	case *ssa.Call:
		return l.call(v)
	case *ssa.Alloc:
		for _, store := range l.u.Stores(v) {
			if l.leaks(store.Val) {
				return true
			}
		}
		return l.parts(v)
	case *ssa.MakeMap:
		for _, use := range dbcall.Uses(v) {
			if update, ok := use.(*ssa.MapUpdate); ok && l.leaks(update.Value) {
				return true
			}
		}
	case *ssa.MakeInterface, *ssa.ChangeType, *ssa.Convert, *ssa.Slice, *ssa.BinOp, *ssa.Phi, *ssa.ChangeInterface:
		for _, operand := range v.(ssa.Instruction).Operands(nil) {
			if l.leaks(*operand) {
				return true
			}
		}
	case *ssa.UnOp:
		return l.leaks(v.X)
	case *ssa.FieldAddr:
		return false
	}
	return false
}

// parts looks at the elements and fields of a value that is built here.
func (l *leakWalk) parts(alloc *ssa.Alloc) bool {
	for _, use := range dbcall.Uses(alloc) {
		addr, ok := use.(ssa.Value)
		if !ok {
			continue
		}
		switch addr.(type) {
		case *ssa.FieldAddr, *ssa.IndexAddr:
		default:
			continue
		}
		for _, s := range dbcall.Uses(addr) {
			if store, ok := s.(*ssa.Store); ok && store.Addr == addr && l.leaks(store.Val) {
				return true
			}
		}
	}
	return false
}

func (l *leakWalk) call(call *ssa.Call) bool {
	args := dbcall.Args(call)
	if isErrorText(call) && dbcall.IsError(args[0].Type()) {
		if l.u.IsDBError(args[0]) {
			l.err = args[0]
			return true
		}
		return false
	}
	fn := dbcall.Callee(call)
	if fn == nil {
		return false
	}
	switch {
	case strings.HasPrefix(fn.FullName(), "fmt.Sprint"):
		return slices.ContainsFunc(args, l.formatted)
	case fn.FullName() == "encoding/json.Marshal":
		return slices.ContainsFunc(args, l.leaks)
	}
	return l.helper(call)
}

// formatted is leaks for an argument of a function of fmt, which writes errors as text.
func (l *leakWalk) formatted(v ssa.Value) bool {
	values, known := dbcall.Elements(v)
	if !known {
		return l.leaks(v)
	}
	for _, value := range values {
		if made, ok := value.(*ssa.ChangeInterface); ok && dbcall.IsError(made.X.Type()) && l.u.IsDBError(made.X) {
			l.err = made.X
			return true
		}
		if l.leaks(value) {
			return true
		}
	}
	return false
}

// helper looks at a function of this package whose result has the text of an error that
// it was given, such as errorResponse(err).
func (l *leakWalk) helper(call *ssa.Call) bool {
	callee := call.Call.StaticCallee()
	if callee == nil || callee.Pkg != l.u.SSA || len(callee.Blocks) == 0 {
		return false
	}
	for i, param := range callee.Params {
		if i >= len(call.Call.Args) || !dbcall.IsError(param.Type()) || !l.u.IsDBError(call.Call.Args[i]) {
			continue
		}
		if returnsText(l.u, callee, param) {
			l.err = call.Call.Args[i]
			return true
		}
	}
	return false
}

// returnsText reports whether the result of a function has the text of a parameter,
// without a condition on that error.
func returnsText(u *unit, fn *ssa.Function, param *ssa.Parameter) bool {
	for _, use := range dbcall.Uses(param) {
		if call, ok := use.(*ssa.Call); !ok || !isErrorText(call) {
			return false // it is looked at, and maybe translated
		}
	}
	for _, block := range fn.Blocks {
		ret, ok := block.Instrs[len(block.Instrs)-1].(*ssa.Return)
		if !ok {
			continue
		}
		for _, result := range ret.Results {
			if u.Depends(result, func(v ssa.Value) bool {
				call, ok := v.(*ssa.Call)
				return ok && isErrorText(call) && dbcall.Args(call)[0] == ssa.Value(param)
			}) {
				return true
			}
			if made := madeMap(result); made != nil && mapHas(made, param) {
				return true
			}
		}
	}
	return false
}

func madeMap(v ssa.Value) *ssa.MakeMap {
	for {
		switch x := v.(type) {
		case *ssa.MakeMap:
			return x
		case *ssa.ChangeType:
			v = x.X
		case *ssa.MakeInterface:
			v = x.X
		default:
			return nil
		}
	}
}

func mapHas(made *ssa.MakeMap, param *ssa.Parameter) bool {
	for _, use := range dbcall.Uses(made) {
		update, ok := use.(*ssa.MapUpdate)
		if !ok {
			continue
		}
		value := update.Value
		if in, ok := value.(*ssa.MakeInterface); ok {
			value = in.X
		}
		if call, ok := value.(*ssa.Call); ok && isErrorText(call) && dbcall.Args(call)[0] == ssa.Value(param) {
			return true
		}
	}
	return false
}

// isSentinelHere reports whether the block is only reached if the error was found to be a
// certain one.
func isSentinelHere(u *unit, err ssa.Value, block *ssa.BasicBlock) bool {
	for b := block; b != nil; b = b.Idom() {
		parent := b.Idom()
		if parent == nil {
			return false
		}
		branch := dbcall.Condition(parent)
		if branch == nil || parent.Succs[0] != b && parent.Succs[1] != b {
			continue
		}
		truth := parent.Succs[0] == b
		switch cond := branch.Cond.(type) {
		case *ssa.Call:
			if fn := dbcall.Callee(cond); fn != nil && truth && fn.FullName() == "errors.Is" && sameError(u, cond.Call.Args[0], err) {
				return true
			}
		case *ssa.BinOp:
			equal := cond.Op.String() == "=="
			if (equal == truth) && (cond.Op.String() == "==" || cond.Op.String() == "!=") &&
				(sameError(u, cond.X, err) && !isNil(cond.Y) || sameError(u, cond.Y, err) && !isNil(cond.X)) {
				return true
			}
		}
	}
	return false
}

func isNil(v ssa.Value) bool {
	c, ok := v.(*ssa.Const)
	return ok && c.IsNil()
}

func sameError(u *unit, a, b ssa.Value) bool {
	return types.Identical(a.Type(), b.Type()) && (a == b || u.Trace(a) == u.Trace(b))
}
