package dbcall

import (
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// A Part of a text is constant, or a value that is put in.
type Part struct {
	Const string
	Value ssa.Value // nil if constant
	Verb  string    // of fmt, such as "%s", or ""
}

// Text returns the parts of a string that is built by + and fmt.Sprintf.
func (p *Package) Text(v ssa.Value) []Part { return p.text(v, 0) }

func (p *Package) text(v ssa.Value, depth int) []Part {
	if depth > 30 {
		return []Part{{Value: v}}
	}
	switch v := v.(type) {
	case *ssa.Const:
		if v.Value != nil && v.Value.Kind() == constant.String {
			return []Part{{Const: constant.StringVal(v.Value)}}
		}
	case *ssa.BinOp:
		if v.Op == token.ADD {
			return append(p.text(v.X, depth+1), p.text(v.Y, depth+1)...)
		}
	case *ssa.ChangeType:
		return p.text(v.X, depth+1)
	case *ssa.MakeInterface:
		return p.text(v.X, depth+1)
	case *ssa.UnOp:
		if v.Op != token.MUL {
			break
		}
		if g, ok := v.X.(*ssa.Global); ok {
			if text, ok := p.globals[g]; ok {
				return []Part{{Const: text}}
			}
		}
		if stored := p.onlyStore(v.X); stored != nil {
			return p.text(stored, depth+1)
		}
	case *ssa.Call:
		if parts, ok := p.formatted(v, depth); ok {
			return parts
		}
	}
	return []Part{{Value: v}}
}

// formatted returns the parts of a call of fmt.Sprintf with a constant format.
func (p *Package) formatted(call *ssa.Call, depth int) ([]Part, bool) {
	fn := calleeFunc(&call.Call)
	if fn == nil || fn.FullName() != "fmt.Sprintf" || len(call.Call.Args) != 2 {
		return nil, false
	}
	format, ok := joined(p.text(call.Call.Args[0], depth+1))
	if !ok {
		return nil, false
	}
	args, ok := Elements(call.Call.Args[1])
	if !ok {
		return nil, false
	}
	var parts []Part
	for _, piece := range SplitFormat(format) {
		if piece.Arg < 0 {
			parts = append(parts, Part{Const: piece.Text})
			continue
		}
		if piece.Arg >= len(args) || args[piece.Arg] == nil {
			return nil, false
		}
		if plain := piece.Text == "%s" || piece.Text == "%v"; plain {
			if inner := p.text(args[piece.Arg], depth+1); len(inner) > 1 || inner[0].Value == nil {
				parts = append(parts, inner...)
				continue
			}
		}
		value := args[piece.Arg]
		if made, ok := value.(*ssa.MakeInterface); ok {
			value = made.X
		}
		parts = append(parts, Part{Value: value, Verb: piece.Text})
	}
	return parts, true
}

// A FormatPiece is plain text, or a verb with the index of its argument.
type FormatPiece struct {
	Text string
	Arg  int // -1 for plain text
}

// SplitFormat splits a format of package fmt. Formats with explicit indexes or widths
// from arguments are one piece of plain text.
func SplitFormat(format string) []FormatPiece {
	if strings.Contains(format, "[") && strings.Contains(format, "]") && strings.Contains(format, "%[") || strings.Contains(format, "*") && strings.Contains(format, "%*") {
		return []FormatPiece{{format, -1}}
	}
	var pieces []FormatPiece
	arg := 0
	for format != "" {
		i := strings.IndexByte(format, '%')
		if i < 0 || i+1 >= len(format) {
			return append(pieces, FormatPiece{format, -1})
		}
		if i > 0 {
			pieces = append(pieces, FormatPiece{format[:i], -1})
		}
		end := i + 1
		for end < len(format)-1 && strings.IndexByte("+-# 0123456789.", format[end]) >= 0 {
			end++
		}
		verb := format[i : end+1]
		if format[end] == '%' {
			pieces = append(pieces, FormatPiece{"%", -1})
		} else {
			pieces = append(pieces, FormatPiece{verb, arg})
			arg++
		}
		format = format[end+1:]
	}
	return pieces
}

// joined returns a text with "\x00" for each value, and whether it has none.
func joined(parts []Part) (text string, constant bool) {
	var b strings.Builder
	constant = true
	for _, part := range parts {
		if part.Value != nil {
			constant = false
			b.WriteString("\x00")
		}
		b.WriteString(part.Const)
	}
	return b.String(), constant
}

// ConstText returns the text of a string that is constant.
func (p *Package) ConstText(v ssa.Value) (string, bool) { return joined(p.Text(v)) }

// constGlobals finds the package's variables that only their declaration assigns to,
// and that have a constant text.
func (p *Package) constGlobals() {
	p.globals = map[*ssa.Global]string{}
	assigned := map[*ssa.Global]int{}
	value := map[*ssa.Global]ssa.Value{}
	functions := append([]*ssa.Function{p.SSA.Func("init")}, p.Funcs...)
	for _, fn := range functions {
		if fn == nil {
			continue
		}
		for _, block := range fn.Blocks {
			for _, instr := range block.Instrs {
				if store, ok := instr.(*ssa.Store); ok {
					if g, ok := store.Addr.(*ssa.Global); ok {
						assigned[g]++
						value[g] = store.Val
					}
				}
			}
		}
	}
	for range 2 { // a variable may be built from another
		for g, n := range assigned {
			pointer := g.Type().Underlying().(*types.Pointer)
			if basic, ok := pointer.Elem().Underlying().(*types.Basic); !ok || basic.Kind() != types.String || n != 1 {
				continue
			}
			if text, ok := p.ConstText(value[g]); ok {
				p.globals[g] = text
			}
		}
	}
}

// Texts is Text for each of the ways in which branches before can build the string, up
// to a number of them.
func (p *Package) Texts(v ssa.Value) [][]Part {
	const most = 12
	texts := [][]Part{p.Text(v)}
	expanded := map[ssa.Value]bool{}
	for i := 0; i < len(texts) && len(texts) < most; i++ {
		for j, part := range texts[i] {
			values := p.alternatives(part.Value)
			if len(values) == 0 || expanded[part.Value] {
				continue
			}
			expanded[part.Value] = true
			for _, value := range values {
				text := append([]Part{}, texts[i][:j]...)
				text = append(append(text, p.Text(value)...), texts[i][j+1:]...)
				texts = append(texts, text)
			}
			break
		}
	}
	return texts
}

// alternatives returns what a string may be that branches or several assignments set.
func (p *Package) alternatives(v ssa.Value) (values []ssa.Value) {
	switch v := v.(type) {
	case *ssa.Phi:
		return v.Edges
	case *ssa.UnOp:
		if alloc, ok := v.X.(*ssa.Alloc); ok {
			for _, store := range p.Stores(alloc) {
				values = append(values, store.Val)
			}
		}
	}
	return values
}
