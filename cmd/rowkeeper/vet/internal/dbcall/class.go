package dbcall

import (
	"go/types"
	"regexp"
)

// A Class tells what kind of handle a value is.
type Class int

// The classes of handles. An Either may be a pool or a transaction.
const (
	None Class = iota
	Pool
	Conn
	Tx
	Either
)

var majorVersion = regexp.MustCompile(`/v[0-9]+(/|$)`)

// pathOf returns the import path without a major version.
func pathOf(pkg *types.Package) string {
	if pkg == nil {
		return ""
	}
	return majorVersion.ReplaceAllString(pkg.Path(), "$1")
}

// Named returns the import path, without a major version, and the name of the type or
// of the type that it points to.
func Named(t types.Type) (path, name string) {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	n, ok := t.(*types.Named)
	if !ok {
		return "", ""
	}
	return pathOf(n.Obj().Pkg()), n.Obj().Name()
}

func typeName(t types.Type) string {
	path, name := Named(t)
	if path == "" {
		return name
	}
	return path + "." + name
}

var knownClasses = map[string]Class{
	"database/sql.DB":                              Pool,
	"database/sql.Conn":                            Conn,
	"database/sql.Tx":                              Tx,
	"github.com/jackc/pgx/pgxpool.Pool":            Pool,
	"github.com/jackc/pgx/pgxpool.Conn":            Conn,
	"github.com/jackc/pgx/pgxpool.Tx":              Tx,
	"github.com/jackc/pgx.Conn":                    Conn,
	"github.com/jackc/pgx.Tx":                      Tx,
	"github.com/jackc/pgx.ConnPool":                Pool,
	"github.com/jmoiron/sqlx.DB":                   Pool,
	"github.com/jmoiron/sqlx.Conn":                 Conn,
	"github.com/jmoiron/sqlx.Tx":                   Tx,
	"github.com/rowkeeper/rowkeeper/txn.Tx":        Tx,
	"github.com/rowkeeper/rowkeeper/txn.Runner":    Pool,
	"github.com/rowkeeper/rowkeeper/txn/sqltxn.Tx": Tx,
	"gorm.io/gorm.DB":                              Either,
	"github.com/jinzhu/gorm.DB":                    Either,
}

// ClassOf returns the class of values of the type.
func ClassOf(t types.Type) Class {
	if t == nil {
		return None
	}
	if c, ok := knownClasses[typeName(t)]; ok {
		return c
	}
	t = types.Unalias(t)
	if _, ok := t.(*types.TypeParam); ok {
		return None
	}
	methods := types.NewMethodSet(t)
	if _, ok := t.(*types.Named); ok && !types.IsInterface(t) {
		methods = types.NewMethodSet(types.NewPointer(t))
	}
	return classOfMethods(methods)
}

func classOfMethods(methods *types.MethodSet) Class {
	statement, begins, commits := false, false, false
	for i := range methods.Len() {
		fn, ok := methods.At(i).Obj().(*types.Func)
		if !ok {
			continue
		}
		switch kind := opOf(fn).Kind; kind {
		case Query, QueryRow, Exec:
			statement = true
		case Begin:
			begins = true
		case Commit:
			commits = true
		}
	}
	switch {
	case !statement:
		return None
	case commits:
		return Tx
	case begins:
		return Pool
	}
	return Either
}

// IsContext reports whether t is context.Context.
func IsContext(t types.Type) bool { return typeName(t) == "context.Context" }

// IsError reports whether t is the type error.
func IsError(t types.Type) bool {
	return types.Identical(types.Unalias(t), types.Universe.Lookup("error").Type())
}

// IsRows reports whether t is a cursor: rows that must be read and closed.
func IsRows(t types.Type) bool { return rowsTypes[typeName(t)] }

var (
	resultTypes = map[string]bool{
		"database/sql.Result": true, "github.com/jackc/pgconn.CommandTag": true,
		"github.com/jackc/pgx/pgconn.CommandTag": true, "github.com/jackc/pgx.CommandTag": true,
	}
	rowsTypes = map[string]bool{
		"database/sql.Rows": true, "github.com/jackc/pgx.Rows": true, "github.com/jmoiron/sqlx.Rows": true,
	}
	rowTypes = map[string]bool{
		"database/sql.Row": true, "github.com/jackc/pgx.Row": true, "github.com/jmoiron/sqlx.Row": true,
	}
)

// IsResult reports whether t tells how many rows a statement affected.
func IsResult(t types.Type) bool { return resultTypes[typeName(t)] }
