package dbcall

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// A Call sends a statement, or begins or ends a transaction: itself, or in a helper
// function that it calls.
type Call struct {
	Kind  Kind
	Instr ssa.CallInstruction
	On    Path        // the handle
	Class Class       // of the handle
	Const bool        // SQL is the whole text
	SQL   string      // with "\x00" for what is not constant
	Text  ssa.Value   // the SQL as a value, nil in a helper
	Args  []ssa.Value // of the statement; nil where unknown
	Known bool        // all arguments are known
	Dest  ssa.Value   // of Get and Select of sqlx
	Via   *types.Func // the helper, or nil
}

// Result returns the value of the call, or nil.
func (c *Call) Result() ssa.Value {
	if v := c.Instr.Value(); v != nil {
		return v
	}
	return nil
}

// Deferred reports whether the call is in a defer statement.
func (c *Call) Deferred() bool {
	_, ok := c.Instr.(*ssa.Defer)
	return ok
}

// direct returns what the instruction itself does, or nil.
func (p *Package) direct(instr ssa.CallInstruction) *Call {
	common := instr.Common()
	fn := calleeFunc(common)
	if fn == nil {
		return nil
	}
	args := callArgs(common)
	if call := p.built(instr, fn, args); call != nil {
		return call
	}
	op, handle, first := noOp, 0, 0
	if fn.Signature().Recv() != nil {
		op, first = opOf(fn), 1
	} else {
		op, handle = functionOp(fn)
	}
	if op.Kind == Other || handle < 0 || handle >= len(args) {
		return nil
	}
	call := &Call{Kind: op.Kind, Instr: instr, On: p.Trace(args[handle])}
	call.Class = p.classAt(args[handle], call.On)
	at := func(i int) ssa.Value {
		if i < 0 || first+i >= len(args) {
			return nil
		}
		return args[first+i]
	}
	call.Dest = at(op.Dest)
	if text := at(op.SQL); text != nil {
		call.Text = text
		call.SQL, call.Const = joined(p.Text(text))
	} else {
		p.prepared(call, args[handle])
	}
	if list := at(op.Args); list != nil {
		call.Args, call.Known = p.arguments(fn, list, op.Args)
	}
	return call
}

// built returns the statement of a call of Rowkeeper's package owner, which builds the
// SQL itself, or nil.
func (p *Package) built(instr ssa.CallInstruction, fn *types.Func, args []ssa.Value) *Call {
	if path := pathOf(fn.Pkg()); !fn.Exported() || path != ownerPath && !strings.HasPrefix(path, ownerPath+"/") {
		return nil
	}
	for i, arg := range args {
		if fn.Signature().Recv() != nil && i == 0 {
			continue
		}
		if class := ClassOf(arg.Type()); class != None {
			call := &Call{Kind: Many, Instr: instr, On: p.Trace(arg)}
			call.Class = p.classAt(arg, call.On)
			return call
		}
	}
	return nil
}

const ownerPath = "github.com/rowkeeper/rowkeeper/owner"

func (p *Package) arguments(fn *types.Func, list ssa.Value, index int) ([]ssa.Value, bool) {
	if !fn.Signature().Variadic() || index != fn.Signature().Params().Len()-1 {
		return []ssa.Value{list}, false // a struct or a map with names
	}
	values, known := Elements(list)
	for i, v := range values {
		if made, ok := v.(*ssa.MakeInterface); ok {
			values[i] = made.X
		}
	}
	return values, known
}

// prepared follows a *sql.Stmt to the handle and the SQL that it was prepared with.
func (p *Package) prepared(call *Call, stmt ssa.Value) {
	if name := typeName(stmt.Type()); name != "database/sql.Stmt" && name != "github.com/jmoiron/sqlx.Stmt" {
		return
	}
	extract, ok := call.On.Root.(*ssa.Extract)
	if !ok || call.On.Fields != "" {
		call.Class = Either
		p.stmtOnTx(call)
		return
	}
	made, ok := extract.Tuple.(*ssa.Call)
	if !ok {
		return
	}
	if prepare := p.direct(made); prepare != nil && prepare.Kind == Prepare {
		call.On, call.Class, call.SQL, call.Const = prepare.On, prepare.Class, prepare.SQL, prepare.Const
	}
}

// stmtOnTx follows tx.Stmt(stmt) to the transaction.
func (p *Package) stmtOnTx(call *Call) {
	made, ok := call.On.Root.(*ssa.Call)
	if !ok {
		return
	}
	fn := calleeFunc(&made.Call)
	if fn == nil || fn.Name() != "Stmt" && fn.Name() != "StmtContext" && fn.Name() != "Stmtx" {
		return
	}
	if args := callArgs(&made.Call); ClassOf(args[0].Type()) == Tx {
		call.On, call.Class = p.Trace(args[0]), Tx
	}
}

// classAt returns the class of a handle, as exactly as its origin tells.
func (p *Package) classAt(v ssa.Value, path Path) Class {
	class := ClassOf(v.Type())
	if class != Either || path.Root == nil {
		return class
	}
	if path.Fields == "" {
		if c := ClassOf(path.Root.Type()); c != None {
			class = c
		}
	}
	if param, ok := path.Root.(*ssa.Parameter); ok {
		if run := p.RunOf[param.Parent()]; run != nil && run.isTx(param, path.Fields) {
			class = Tx
		}
	}
	if isGorm(v.Type()) {
		class = p.gormClass(path)
	}
	return class
}

// gormClass tells whether a *gorm.DB is a transaction: GORM has one type for both.
func (p *Package) gormClass(path Path) Class {
	switch root := path.Root.(type) {
	case *ssa.Call:
		if fn := calleeFunc(&root.Call); fn != nil && fn.Name() == "Begin" {
			return Tx
		}
	case *ssa.Parameter:
		if p.RunOf[root.Parent()] != nil && path.Fields == "" {
			return Tx
		}
	}
	return Either
}

// through returns what a call does by a helper.
func (p *Package) through(instr ssa.CallInstruction) []*Call {
	fn := calleeFunc(instr.Common())
	if fn == nil {
		return nil
	}
	fact := p.FactOf(fn)
	if fact == nil {
		return nil
	}
	args := callArgs(instr.Common())
	var calls []*Call
	for _, s := range fact.Stmts {
		on, ok := p.resolve(args, s.On)
		if !ok {
			continue
		}
		call := &Call{Kind: s.Kind, Instr: instr, On: on, Class: s.Class, SQL: s.SQL, Const: s.Const, Via: fn, Known: s.Known}
		if on.Root != nil && on.Fields == "" {
			if c := ClassOf(on.Root.Type()); c != None {
				call.Class = c
			}
		}
		if param, ok := on.Root.(*ssa.Parameter); ok {
			if run := p.RunOf[param.Parent()]; run != nil && run.isTx(param, on.Fields) {
				call.Class = Tx
			}
		}
		for _, a := range s.Args {
			path, ok := p.resolve(args, a)
			if !ok || path.Fields != "" {
				path.Root = nil
			}
			call.Args = append(call.Args, path.Root)
		}
		calls = append(calls, call)
	}
	return calls
}
