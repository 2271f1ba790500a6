package dbcall

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// A Runner is what a function is that runs one of its parameters in a transaction.
type Runner struct {
	Param   int    // the function
	On      string // the pool on which the transaction begins, or ""
	Retries bool   // it calls the function again after an error
	Tx      []TxArg

	Serializable bool
	Rowkeeper    bool // package txn, which sees errors that the function hides
}

// A TxArg is an argument of the function that is the transaction or holds it.
type TxArg struct {
	Index int
	Field string
}

// A Run is a call that runs a function in a transaction.
type Run struct {
	Runner
	Instr    ssa.CallInstruction
	Callee   *types.Func
	Callback *ssa.Function // nil if it is not in this package
	Pool     Path          // of the transaction; without a root if unknown
}

// isTx reports whether a parameter of the callback, or a field of it, is the
// transaction.
func (r *Run) isTx(param *ssa.Parameter, fields string) bool {
	for _, tx := range r.Tx {
		if tx.Field == fields && r.param(tx.Index) == param {
			return true
		}
	}
	return fields == "" && ClassOf(param.Type()) == Tx
}

func (r *Run) param(i int) *ssa.Parameter {
	if r.Callback == nil || i >= len(r.Callback.Params) {
		return nil
	}
	return r.Callback.Params[len(r.Callback.Params)-r.Callback.Signature.Params().Len()+i]
}

// TxParams returns the parameters of the callback that are the transaction or hold it.
func (r *Run) TxParams() (params []*ssa.Parameter) {
	if r.Callback == nil {
		return nil
	}
	for _, param := range r.Callback.Params {
		if ClassOf(param.Type()) == Tx {
			params = append(params, param)
		}
	}
	for _, tx := range r.Tx {
		if param := r.param(tx.Index); param != nil {
			params = appendNew(params, param)
		}
	}
	return params
}

type knownRunner struct {
	on, fn       int // indexes of arguments, the receiver first
	retries      bool
	serializable bool
	rowkeeper    bool
}

var knownRunners = map[string]knownRunner{
	"github.com/jackc/pgx.BeginFunc":                               {on: 1, fn: 2},
	"github.com/jackc/pgx.BeginTxFunc":                             {on: 1, fn: 3},
	"github.com/jackc/pgx.Conn.BeginFunc":                          {on: 0, fn: 2},
	"github.com/jackc/pgx.Conn.BeginTxFunc":                        {on: 0, fn: 3},
	"github.com/jackc/pgx/pgxpool.Pool.BeginFunc":                  {on: 0, fn: 2},
	"github.com/jackc/pgx/pgxpool.Pool.BeginTxFunc":                {on: 0, fn: 3},
	"github.com/cockroachdb/cockroach-go/crdb.ExecuteTx":           {on: 1, fn: 3, retries: true, serializable: true},
	"github.com/cockroachdb/cockroach-go/crdb/crdbpgx.ExecuteTx":   {on: 1, fn: 3, retries: true, serializable: true},
	"github.com/cockroachdb/cockroach-go/crdb/crdbpgxv5.ExecuteTx": {on: 1, fn: 3, retries: true, serializable: true},
	"github.com/cockroachdb/cockroach-go/crdb/crdbsqlx.ExecuteTx":  {on: 1, fn: 3, retries: true, serializable: true},
	"github.com/cockroachdb/cockroach-go/crdb/crdbgorm.ExecuteTx":  {on: 1, fn: 3, retries: true, serializable: true},
	"github.com/rowkeeper/rowkeeper/txn.Run":                       {on: 1, fn: 2, retries: true, serializable: true, rowkeeper: true},
	"github.com/rowkeeper/rowkeeper/txn.RunInTx":                   {on: 1, fn: 2, retries: true, serializable: true, rowkeeper: true},
	"github.com/rowkeeper/rowkeeper/txn/sqltxn.Run":                {on: 1, fn: 2, retries: true, serializable: true, rowkeeper: true},
	"github.com/rowkeeper/rowkeeper/txn/sqltxn.RunInTx":            {on: 1, fn: 2, retries: true, serializable: true, rowkeeper: true},
	"gorm.io/gorm.DB.Transaction":                                  {on: 0, fn: 1},
	"github.com/jinzhu/gorm.DB.Transaction":                        {on: 0, fn: 1},
}

func (p *Package) runsIn(fn *ssa.Function) (runs []*Run) {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			call, ok := instr.(ssa.CallInstruction)
			if !ok {
				continue
			}
			if run := p.runOf(call); run != nil {
				runs = append(runs, run)
				if run.Callback != nil {
					p.RunOf[run.Callback] = run
				}
			}
		}
	}
	return runs
}

// runOf returns what a call runs in a transaction, or nil.
func (p *Package) runOf(instr ssa.CallInstruction) *Run {
	fn := calleeFunc(instr.Common())
	if fn == nil {
		return nil
	}
	args := callArgs(instr.Common())
	run := &Run{Instr: instr, Callee: fn}
	name := FullName(fn)
	if known, ok := knownRunners[name]; ok && known.fn < len(args) {
		run.Runner = Runner{Param: known.fn, Retries: known.retries, Serializable: known.serializable, Rowkeeper: known.rowkeeper}
		run.Pool = p.Trace(args[known.on])
		run.Callback = p.Function(args[known.fn])
		if !run.Serializable {
			run.Serializable = p.serializable(instr)
		}
		return run
	}
	if fact := p.FactOf(fn); fact != nil && fact.Runner != nil && fact.Runner.Param < len(args) {
		run.Runner = *fact.Runner
		run.Callback = p.Function(args[run.Param])
		if run.On != "" {
			run.Pool, _ = p.resolve(args, run.On)
		}
		run.Retries = run.Retries || p.retry[name]
		return run
	}
	return p.guessRun(run, fn, args, name)
}

// guessRun takes a call for a runner if it is configured, or if it takes a function of
// a transaction.
func (p *Package) guessRun(run *Run, fn *types.Func, args []ssa.Value, name string) *Run {
	for i, arg := range args {
		sig, ok := arg.Type().Underlying().(*types.Signature)
		if !ok {
			continue
		}
		takesTx := false
		for j := range sig.Params().Len() {
			takesTx = takesTx || ClassOf(sig.Params().At(j).Type()) == Tx
		}
		if !takesTx && !p.retry[name] {
			continue
		}
		if fact := p.FactOf(fn); fn.Pkg() == p.Pass.Pkg && fact != nil && !p.retry[name] && !types.IsInterface(recvType(fn)) {
			return nil // seen, and it does not run the function in a transaction
		}
		run.Runner = Runner{Param: i, Retries: p.retry[name]}
		run.Callback = p.Function(arg)
		return run
	}
	return nil
}

func recvType(fn *types.Func) types.Type {
	if recv := fn.Signature().Recv(); recv != nil {
		return recv.Type()
	}
	return types.Typ[types.Invalid]
}

// Function returns the function of this package that a value is, or nil.
func (p *Package) Function(v ssa.Value) *ssa.Function {
	path := p.Trace(v)
	if path.Fields != "" {
		return nil
	}
	switch f := path.Root.(type) {
	case *ssa.MakeClosure:
		fn, _ := f.Fn.(*ssa.Function)
		return fn
	case *ssa.Function:
		if f.Pkg == p.SSA {
			return f
		}
	}
	return nil
}

// serializable reports whether the options of a call that begins a transaction ask for
// REPEATABLE READ or SERIALIZABLE, or whether that is not known.
func (p *Package) serializable(instr ssa.CallInstruction) bool {
	for _, arg := range callArgs(instr.Common()) {
		switch typeName(arg.Type()) {
		case "github.com/jackc/pgx.TxOptions":
			return p.level(arg, ".IsoLevel")
		case "database/sql.TxOptions":
			return p.level(arg, ".Isolation")
		}
	}
	return false
}

func (p *Package) level(options ssa.Value, field string) bool {
	if c, ok := options.(*ssa.Const); ok && (c.IsNil() || c.Value == nil) {
		return false
	}
	path := p.TraceFrom(options, field)
	if c, ok := path.Root.(*ssa.Const); ok && path.Fields == "" {
		text := strings.Trim(c.Value.ExactString(), `"`)
		return text == "serializable" || text == "repeatable read" || text == "5" || text == "4" || text == "6" || text == "7"
	}
	if alloc, ok := path.Root.(*ssa.Alloc); ok && path.Fields == field {
		return p.assignsField(alloc, field)
	}
	return true // unknown
}

func (p *Package) assignsField(alloc *ssa.Alloc, field string) bool {
	for _, ref := range *alloc.Referrers() {
		switch ref := ref.(type) {
		case *ssa.FieldAddr:
			if "."+fieldName(alloc.Type(), ref.Field) == field {
				return true
			}
		case *ssa.Store:
			if ref.Addr == alloc {
				return true
			}
		}
	}
	return false
}

// inferRunner reports whether fn calls one of its parameters in a transaction.
func (p *Package) inferRunner(fn *ssa.Function) *Runner {
	for i, param := range fn.Params {
		if _, ok := param.Type().Underlying().(*types.Signature); !ok {
			continue
		}
		if r := p.runnerOf(fn, i, param); r != nil {
			if obj, ok := fn.Object().(*types.Func); ok && p.retry[FullName(obj)] {
				r.Retries = true
			}
			return r
		}
	}
	return nil
}

func (p *Package) runnerOf(fn *ssa.Function, index int, param *ssa.Parameter) (runner *Runner) {
	p.eachWithin(fn, func(inner *ssa.Function) {
		// It hands the parameter, or a function that calls it, to a runner.
		for _, run := range p.Runs[inner] {
			direct := p.Trace(callArgs(run.Instr.Common())[run.Param]) == Path{Root: param}
			calls := run.Callback != nil && len(p.callsOf(run.Callback, param)) > 0
			if !direct && !calls {
				continue
			}
			r := &Runner{Param: index, Retries: run.Retries || InLoop(run.Instr) && retryLoop(run.Instr), Serializable: run.Serializable, Rowkeeper: run.Rowkeeper}
			r.On, _ = paramPath(fn, run.Pool)
			if direct {
				r.Tx = run.Tx
			} else {
				for _, call := range p.callsOf(run.Callback, param) {
					r.Tx = append(r.Tx, p.txArgs(call, func(path Path) bool {
						root, ok := path.Root.(*ssa.Parameter)
						return ok && run.isTx(root, path.Fields)
					})...)
				}
			}
			runner = r
			return
		}
		if runner == nil {
			runner = p.runsBetween(fn, inner, index, param)
		}
	})
	return runner
}

// runsBetween recognises fn that begins a transaction and calls its parameter.
func (p *Package) runsBetween(fn, inner *ssa.Function, index int, param *ssa.Parameter) *Runner {
	calls := p.callsOf(inner, param)
	if len(calls) == 0 {
		return nil
	}
	for _, block := range inner.Blocks {
		for _, instr := range block.Instrs {
			begin, ok := instr.(*ssa.Call)
			if !ok || !p.begins(begin) {
				continue
			}
			isTx := func(path Path) bool { return path.Fields == "" && p.beginAt(path) == begin }
			for _, call := range calls {
				if !Reaches(begin, call, nil) {
					continue
				}
				r := &Runner{Param: index, Tx: p.txArgs(call, isTx), Serializable: p.serializable(begin)}
				r.Retries = InLoop(begin) && SameLoop(begin, call) && retryLoop(call)
				if args := callArgs(&begin.Call); len(args) > 0 {
					r.On, _ = paramPath(fn, p.Trace(args[0]))
				}
				return r
			}
		}
	}
	return nil
}

// begins reports whether the result of a call is a transaction that it began.
func (p *Package) begins(call *ssa.Call) bool {
	fn := calleeFunc(&call.Call)
	if fn == nil {
		return false
	}
	if fn.Signature().Recv() != nil && opOf(fn).Kind == Begin {
		return true
	}
	fact := p.FactOf(fn)
	return fact != nil && fact.ReturnsTx
}

// callsOf returns the calls of a parameter in a function and the literals in it.
func (p *Package) callsOf(fn *ssa.Function, param *ssa.Parameter) (calls []ssa.CallInstruction) {
	p.eachWithin(fn, func(inner *ssa.Function) {
		for _, block := range inner.Blocks {
			for _, instr := range block.Instrs {
				call, ok := instr.(ssa.CallInstruction)
				if !ok || call.Common().IsInvoke() || call.Common().StaticCallee() != nil {
					continue
				}
				if p.Trace(call.Common().Value) == (Path{Root: param}) {
					calls = append(calls, call)
				}
			}
		}
	})
	return calls
}

// txArgs returns the arguments of a call that are a transaction or hold one.
func (p *Package) txArgs(call ssa.CallInstruction, isTx func(Path) bool) (found []TxArg) {
	for i, arg := range call.Common().Args {
		if isTx(p.Trace(arg)) {
			found = append(found, TxArg{Index: i})
			continue
		}
		for _, field := range handleFields(arg.Type(), 2) {
			if isTx(p.TraceFrom(arg, field)) {
				found = append(found, TxArg{Index: i, Field: field})
			}
		}
	}
	return found
}

// handleFields returns the fields of a struct that are handles, also in embedded ones.
func handleFields(t types.Type, depth int) (fields []string) {
	if pointer, ok := t.Underlying().(*types.Pointer); ok {
		t = pointer.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok || depth == 0 {
		return nil
	}
	for i := range s.NumFields() {
		f := s.Field(i)
		if ClassOf(f.Type()) != None {
			fields = append(fields, "."+f.Name())
			continue
		}
		for _, inner := range handleFields(f.Type(), depth-1) {
			fields = append(fields, "."+f.Name()+inner)
		}
	}
	return fields
}
