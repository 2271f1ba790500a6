package dbcall

import (
	"go/types"
	"strings"
)

// A Kind tells what a call does.
type Kind int

// The kinds of calls. Many is a batch or a copy, whose SQL is not seen.
const (
	Other Kind = iota
	Query
	QueryRow
	Exec
	Many
	Prepare
	Begin
	Commit
	Rollback
)

// Runs reports whether a call of the kind sends a statement.
func (k Kind) Runs() bool { return k >= Query && k <= Many }

// An Op tells how a method of a handle is called.
type Op struct {
	Kind Kind
	SQL  int // index of the parameter with the SQL, without the receiver; -1 without
	Args int // index of the first argument of the statement; -1 without
	Dest int // index of the parameter for the result; -1 without
}

var noOp = Op{SQL: -1, Args: -1, Dest: -1}

// opOf returns what a method does. It looks at the method's name and types, so that
// interfaces and wrappers with the usual methods are known.
func opOf(fn *types.Func) Op {
	sig, ok := fn.Type().(*types.Signature)
	if !ok || sig.Recv() == nil {
		return noOp
	}
	name := fn.Name()
	switch {
	case name == "Commit" || name == "Rollback":
		return endOf(sig, name)
	case strings.HasPrefix(name, "Begin") || name == "MustBegin":
		return beginOf(sig)
	case name == "Prepare" || name == "PrepareContext" || name == "Preparex" || name == "PreparexContext":
		return textOp(sig, Prepare)
	case name == "SendBatch" || name == "CopyFrom":
		if p, _ := Named(sig.Recv().Type()); strings.Contains(p, "pgx") || strings.Contains(p, "rowkeeper/txn") {
			return Op{Kind: Many, SQL: -1, Args: -1, Dest: -1}
		}
		return noOp
	}
	return statementOf(fn, sig)
}

func endOf(sig *types.Signature, name string) Op {
	results := sig.Results()
	gorm := isGorm(sig.Recv().Type())
	if !gorm && (results.Len() != 1 || !IsError(results.At(0).Type())) {
		return noOp
	}
	op := noOp
	op.Kind = Commit
	if name == "Rollback" {
		op.Kind = Rollback
	}
	return op
}

// endsShape avoids that the class of a type depends on itself: a transaction is what a
// Begin returns if it has Commit and Rollback.
func endsShape(t types.Type) bool {
	if c, ok := knownClasses[typeName(t)]; ok {
		return c == Tx || isGorm(t)
	}
	commit, rollback := types.NewMethodSet(t).Lookup(nil, "Commit"), types.NewMethodSet(t).Lookup(nil, "Rollback")
	return commit != nil && rollback != nil
}

func beginOf(sig *types.Signature) Op {
	op := noOp
	results := sig.Results()
	if results.Len() == 0 || results.Len() > 2 || !endsShape(results.At(0).Type()) {
		return op
	}
	for i := range sig.Params().Len() {
		if _, ok := sig.Params().At(i).Type().Underlying().(*types.Signature); ok {
			return op // it runs a function
		}
	}
	op.Kind = Begin
	return op
}

func isGorm(t types.Type) bool {
	name := typeName(t)
	return name == "gorm.io/gorm.DB" || name == "github.com/jinzhu/gorm.DB"
}

var statementKinds = map[string]Kind{
	"Exec": Exec, "ExecContext": Exec, "MustExec": Exec, "MustExecContext": Exec, "NamedExec": Exec, "NamedExecContext": Exec,
	"ExecEx": Exec, "Query": Query, "QueryContext": Query, "QueryEx": Query, "Queryx": Query, "QueryxContext": Query,
	"NamedQuery": Query, "NamedQueryContext": Query,
	"QueryRow": QueryRow, "QueryRowContext": QueryRow, "QueryRowEx": QueryRow, "QueryRowx": QueryRow, "QueryRowxContext": QueryRow,
	"Get": QueryRow, "GetContext": QueryRow, "Select": Query, "SelectContext": Query,
	"Raw": Query, "Queue": Exec, "QueueExpect": Exec,
}

func statementOf(fn *types.Func, sig *types.Signature) Op {
	kind, ok := statementKinds[fn.Name()]
	if !ok {
		return noOp
	}
	recv := sig.Recv().Type()
	switch fn.Name() {
	case "Get", "GetContext", "Select", "SelectContext":
		if p, name := Named(recv); p != "github.com/jmoiron/sqlx" && !sqlxShape(sig) || strings.HasSuffix(name, "Stmt") {
			return noOp
		}
		return destOp(sig, kind)
	case "Raw":
		if !isGorm(recv) {
			return noOp
		}
		return textOp(sig, kind)
	case "Queue", "QueueExpect":
		if p, _ := Named(recv); p != "github.com/rowkeeper/rowkeeper/txn" {
			return noOp
		}
		return textOp(sig, kind)
	}
	if !returnsFor(kind, sig, recv) {
		return noOp
	}
	return textOp(sig, kind)
}

// sqlxShape reports whether a method named Get or Select is (…, dest any, query string,
// args ...any) error, as in interfaces for sqlx.
func sqlxShape(sig *types.Signature) bool {
	op := destOp(sig, Query)
	return op.Dest >= 0 && sig.Variadic() && sig.Results().Len() == 1 && IsError(sig.Results().At(0).Type())
}

func returnsFor(kind Kind, sig *types.Signature, recv types.Type) bool {
	if sig.Results().Len() == 0 {
		return false
	}
	first := typeName(sig.Results().At(0).Type())
	switch kind {
	case Exec:
		return resultTypes[first] || isGorm(recv)
	case Query:
		return rowsTypes[first]
	}
	return rowTypes[first]
}

// textOp returns an Op whose SQL is the first parameter of type string.
func textOp(sig *types.Signature, kind Kind) Op {
	op := Op{Kind: kind, SQL: -1, Args: -1, Dest: -1}
	for i := range sig.Params().Len() {
		if b, ok := sig.Params().At(i).Type().Underlying().(*types.Basic); ok && b.Kind() == types.String {
			op.SQL = i
			break
		}
	}
	if sig.Variadic() {
		op.Args = sig.Params().Len() - 1
	} else if op.SQL >= 0 && op.SQL+1 < sig.Params().Len() {
		op.Args = op.SQL + 1
	}
	if kind == Prepare {
		if named, ok := sig.Results().At(0).Type().(*types.Pointer); ok && typeName(named) != "database/sql.Stmt" && op.SQL >= 0 {
			op.SQL = sig.Params().Len() - 1 // pgx: a name, then the SQL
		}
	}
	return op
}

// destOp returns an Op whose result goes to the parameter before the SQL.
func destOp(sig *types.Signature, kind Kind) Op {
	op := textOp(sig, kind)
	if op.SQL > 0 && types.IsInterface(sig.Params().At(op.SQL-1).Type()) && !IsContext(sig.Params().At(op.SQL-1).Type()) {
		op.Dest = op.SQL - 1
		return op
	}
	return noOp
}

// functionOp returns what a function of a package does that takes the handle as a
// parameter, and the index of that parameter.
func functionOp(fn *types.Func) (Op, int) {
	switch pathOf(fn.Pkg()) {
	case "github.com/jmoiron/sqlx":
		switch fn.Name() {
		case "Get", "GetContext":
			return handleFirst(fn, QueryRow)
		case "Select", "SelectContext":
			return handleFirst(fn, Query)
		}
	case "github.com/georgysavva/scany/pgxscan", "github.com/georgysavva/scany/sqlscan":
		switch fn.Name() {
		case "Get":
			return handleFirst(fn, QueryRow)
		case "Select":
			return handleFirst(fn, Query)
		}
	}
	return noOp, -1
}

func handleFirst(fn *types.Func, kind Kind) (Op, int) {
	sig := fn.Type().(*types.Signature)
	op := destOp(sig, kind)
	for i := range sig.Params().Len() {
		if !IsContext(sig.Params().At(i).Type()) {
			return op, i
		}
	}
	return noOp, -1
}
