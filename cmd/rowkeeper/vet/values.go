package vet

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

func isEmptyInterface(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && i.NumMethods() == 0
}

func edit(old ast.Expr, text string) analysis.TextEdit {
	return analysis.TextEdit{Pos: old.Pos(), End: old.End(), NewText: []byte(text)}
}
