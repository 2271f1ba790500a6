package dbcall

import (
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// A Path names a value by where it comes from: a root, and the fields and getters that
// lead from it. Two equal paths are the same value, as long as nobody assigns to the
// fields.
type Path struct {
	Root   ssa.Value
	Fields string // ".store.db"; a getter is ".DB()"; "g:path.name" without a root
}

const maxSteps = 60

// Trace follows a value to its root, through conversions, variables that are assigned
// once, fields, captured variables, and constructors that keep it.
func (p *Package) Trace(v ssa.Value) Path { return p.TraceFrom(v, "") }

// step returns the value that v comes from, and the fields from there.
func (p *Package) step(v ssa.Value, fields string) (ssa.Value, string, bool) {
	switch v := v.(type) {
	case *ssa.UnOp:
		if v.Op == token.MUL {
			return p.load(v.X, fields)
		}
	case *ssa.FieldAddr:
		return v.X, fieldStep(v.X.Type(), v.Field) + fields, true
	case *ssa.Field:
		return v.X, fieldStep(v.X.Type(), v.Field) + fields, true
	case *ssa.MakeInterface:
		return v.X, fields, true
	case *ssa.ChangeInterface:
		return v.X, fields, true
	case *ssa.ChangeType:
		return v.X, fields, true
	case *ssa.Convert:
		return v.X, fields, true
	case *ssa.TypeAssert:
		if !v.CommaOk {
			return v.X, fields, true
		}
	case *ssa.Extract:
		if assert, ok := v.Tuple.(*ssa.TypeAssert); ok && v.Index == 0 {
			return assert.X, fields, true
		}
		if call, ok := v.Tuple.(*ssa.Call); ok && v.Index == 0 {
			return p.held(call, fields)
		}
	case *ssa.FreeVar:
		if bound := p.binding(v); bound != nil {
			return bound, fields, true
		}
	case *ssa.Alloc:
		if fields != "" {
			return p.element(v, fields)
		}
	case *ssa.Phi:
		return p.samePhi(v, fields)
	case *ssa.Call:
		return p.held(v, fields)
	}
	return nil, "", false
}

// load follows a load from an address.
func (p *Package) load(addr ssa.Value, fields string) (ssa.Value, string, bool) {
	switch a := addr.(type) {
	case *ssa.Alloc, *ssa.FreeVar:
		if stored := p.onlyStore(a); stored != nil {
			return stored, fields, true
		}
		if alloc, ok := a.(*ssa.Alloc); ok && fields != "" {
			return p.element(alloc, fields)
		}
		if free, ok := a.(*ssa.FreeVar); ok {
			if bound := p.binding(free); bound != nil {
				return bound, fields, true
			}
		}
		return nil, "", false
	case *ssa.FieldAddr, *ssa.Global, *ssa.IndexAddr:
		return a, fields, true
	case *ssa.Parameter, *ssa.UnOp, *ssa.Call, *ssa.Extract, *ssa.Phi:
		return a, fields, true // *p is named like p
	}
	return nil, "", false
}

// element follows the first field of a struct that is built here, if that field is
// assigned once, by itself or with the struct.
func (p *Package) element(alloc *ssa.Alloc, fields string) (ssa.Value, string, bool) {
	first, rest := splitField(fields)
	var found, whole ssa.Value
	stores := 0
	for _, ref := range *alloc.Referrers() {
		switch ref := ref.(type) {
		case *ssa.FieldAddr:
			for _, use := range *ref.Referrers() {
				store, ok := use.(*ssa.Store)
				if !ok || store.Addr != ref || "."+fieldName(alloc.Type(), ref.Field) != first {
					continue
				}
				found = store.Val
				stores++
			}
		case *ssa.Store:
			if ref.Addr == alloc {
				whole = ref.Val
				stores++
			}
		}
	}
	switch {
	case stores != 1:
		return nil, "", false
	case whole != nil:
		return whole, fields, true
	}
	return found, rest, true
}

func splitField(fields string) (first, rest string) {
	i := strings.IndexByte(fields[1:], '.')
	if i < 0 {
		return fields, ""
	}
	return fields[:i+1], fields[i+1:]
}

// held follows a call to what its result holds: New(db) with a field db, or WithTx(tx).
// A getter without arguments becomes part of the path.
func (p *Package) held(call *ssa.Call, fields string) (ssa.Value, string, bool) {
	fn := calleeFunc(&call.Call)
	if fn == nil {
		return nil, "", false
	}
	args := callArgs(&call.Call)
	if fact := p.FactOf(fn); fact != nil {
		for _, h := range fact.Holds {
			if strings.HasPrefix(fields+".", h.Field+".") && h.Param < len(args) {
				return args[h.Param], h.From + strings.TrimPrefix(fields, h.Field), true
			}
		}
	}
	if len(args) == 1 && fn.Signature().Recv() != nil && ClassOf(call.Type()) == Pool {
		return args[0], "." + fn.Name() + "()" + fields, true
	}
	return nil, "", false
}

func (p *Package) samePhi(phi *ssa.Phi, fields string) (ssa.Value, string, bool) {
	if p.inPhi > 2 {
		return nil, "", false
	}
	p.inPhi++
	defer func() { p.inPhi-- }()
	var first Path
	for _, edge := range phi.Edges {
		if edge == phi {
			continue
		}
		if c, ok := edge.(*ssa.Const); ok && c.IsNil() {
			continue
		}
		path := p.Trace(edge)
		if first.Root == nil {
			first = path
		} else if path != first {
			return nil, "", false
		}
	}
	if first.Root == nil || first.Root == phi {
		return nil, "", false
	}
	return first.Root, first.Fields + fields, true
}

// onlyStore returns the value of a variable that is assigned once, in its function and
// all closures that capture it, or nil.
func (p *Package) onlyStore(addr ssa.Value) ssa.Value {
	for range 10 {
		free, ok := addr.(*ssa.FreeVar)
		if !ok {
			break
		}
		if addr = p.binding(free); addr == nil {
			return nil
		}
	}
	alloc, ok := addr.(*ssa.Alloc)
	if !ok {
		return nil
	}
	stores := p.Stores(alloc)
	if len(stores) != 1 {
		return nil
	}
	return stores[0].Val
}

// Stores returns the assignments to a variable, also those in closures.
func (p *Package) Stores(addr ssa.Value) (stores []*ssa.Store) {
	if addr.Referrers() == nil {
		return nil
	}
	for _, ref := range *addr.Referrers() {
		switch ref := ref.(type) {
		case *ssa.Store:
			if ref.Addr == addr {
				stores = append(stores, ref)
			}
		case *ssa.MakeClosure:
			for i, bound := range ref.Bindings {
				if bound == addr {
					stores = append(stores, p.Stores(ref.Fn.(*ssa.Function).FreeVars[i])...)
				}
			}
		}
	}
	return stores
}

// binding returns the value that a closure captured, or nil.
func (p *Package) binding(v *ssa.FreeVar) ssa.Value {
	fn := v.Parent()
	made := p.closures[fn]
	if made == nil {
		return nil
	}
	for i, free := range fn.FreeVars {
		if free == v {
			return made.Bindings[i]
		}
	}
	return nil
}

// fieldStep writes a field in a path. A handle that embeds another one, as sqlx.DB does,
// is the same handle.
func fieldStep(t types.Type, i int) string {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if ok && i < s.NumFields() && s.Field(i).Embedded() && ClassOf(s.Field(i).Type()) != None && ClassOf(t) != None {
		return ""
	}
	return "." + fieldName(t, i)
}

func fieldName(t types.Type, i int) string {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	if s, ok := t.Underlying().(*types.Struct); ok && i < s.NumFields() {
		return s.Field(i).Name()
	}
	return "?"
}

// calleeFunc returns the declared function or method that is called, or nil. An
// instance of a generic function is the function itself.
func calleeFunc(c *ssa.CallCommon) *types.Func {
	if c.IsInvoke() {
		return c.Method
	}
	fn := c.StaticCallee()
	if fn == nil {
		return nil
	}
	if origin := fn.Origin(); origin != nil {
		fn = origin
	}
	obj, _ := fn.Object().(*types.Func)
	return obj
}

// callArgs returns the arguments, the receiver first.
func callArgs(c *ssa.CallCommon) []ssa.Value {
	if c.IsInvoke() {
		return append([]ssa.Value{c.Value}, c.Args...)
	}
	return c.Args
}

// Elements returns the values of a variadic argument, or false if they are not known.
func Elements(v ssa.Value) ([]ssa.Value, bool) {
	if c, ok := v.(*ssa.Const); ok && c.IsNil() {
		return nil, true
	}
	slice, ok := v.(*ssa.Slice)
	if !ok {
		return nil, false
	}
	array, ok := slice.X.(*ssa.Alloc)
	if !ok {
		return nil, false
	}
	pointer, ok := array.Type().Underlying().(*types.Pointer)
	if !ok {
		return nil, false
	}
	t, ok := pointer.Elem().Underlying().(*types.Array)
	if !ok {
		return nil, false
	}
	values := make([]ssa.Value, t.Len())
	for _, ref := range *array.Referrers() {
		index, ok := ref.(*ssa.IndexAddr)
		if !ok {
			continue
		}
		i, ok := index.Index.(*ssa.Const)
		if !ok {
			return nil, false
		}
		for _, use := range *index.Referrers() {
			if store, ok := use.(*ssa.Store); ok && store.Addr == index {
				values[i.Int64()] = store.Val
			}
		}
	}
	return values, true
}

// TraceAddr returns the variable, parameter or global that an address is in.
func (p *Package) TraceAddr(addr ssa.Value) ssa.Value {
	for range maxSteps {
		switch a := addr.(type) {
		case *ssa.FieldAddr:
			addr = a.X
		case *ssa.IndexAddr:
			addr = a.X
		case *ssa.UnOp:
			addr = a.X
		case *ssa.FreeVar:
			bound := p.binding(a)
			if bound == nil {
				return a
			}
			addr = bound
		default:
			return addr
		}
	}
	return addr
}
