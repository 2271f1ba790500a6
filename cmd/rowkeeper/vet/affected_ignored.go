package vet

import (
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/sqlshape"
)

var rule11 = &finding.Rule{
	ID: "RKV11", Name: "affected-ignored", Severity: finding.Medium, CWE: []int{252}, PCI: finding.PCIData,
	Title: "A conditional UPDATE or DELETE changes no row, and nobody looks",
	Why: "The version, the state or the bound in its WHERE makes the statement safe. If it matches no row, the change did not " +
		"happen, and the caller reports that it did.",
	Fix:       "Compare RowsAffected with the number of rows that you expect.",
	Silent:    "With RETURNING, for clean-up by time, and if something looks at the result. An owner beside the key counts if the table is declared as owned.",
	Bad:       "_, err := tx.Exec(ctx, \"update accounts set balance = balance - $2 where id = $1 and balance >= $2\", id, n)",
	Good:      "tag, err := tx.Exec(ctx, …)\nif err == nil && tag.RowsAffected() != 1 {\n\treturn errInsufficientFunds\n}",
	Rowkeeper: "Tx.QueueExpect",
}

func affectedIgnored(u *unit) {
	for _, fn := range u.Funcs {
		for _, call := range u.Calls[fn] {
			if call.Kind != dbcall.Exec || call.Via != nil || !call.Const || !resultIgnored(call) {
				continue
			}
			s := sqlshape.Parse(call.SQL)
			if !s.Known || s.Verb != "update" && s.Verb != "delete" || s.Returning || len(s.Tables) != 1 {
				continue
			}
			if why := conditional(u, s); why != "" {
				u.report(call.Instr, "the "+strings.ToUpper(s.Verb)+" of "+s.Target.Name+" depends on "+why+", and nobody looks whether it changed a row", statement(call.SQL))
			}
		}
	}
}

// resultIgnored reports whether the number of rows is not looked at, although the call's
// result has it.
func resultIgnored(call *dbcall.Call) bool {
	v, ok := call.Instr.(*ssa.Call)
	if !ok {
		return false
	}
	results := v.Call.Signature().Results()
	if results.Len() != 2 || !dbcall.IsResult(results.At(0).Type()) {
		return false
	}
	for _, use := range dbcall.Uses(v) {
		switch use := use.(type) {
		case *ssa.Extract:
			if use.Index == 0 && len(dbcall.Uses(use)) > 0 {
				return false
			}
		case *ssa.Return:
			return false
		}
	}
	return true
}

// conditional says on what beside a key the WHERE depends, or "".
func conditional(u *unit, s sqlshape.Statement) string {
	key, why := false, ""
	for _, c := range s.Where {
		switch {
		case c.Op == "=" && isKey(c.Left.Name) && !u.isOwner(s.Target.Name, c.Left.Name):
			key = true
		case c.Op == "=" && isVersion(c.Left.Name) && c.Right.Kind == sqlshape.Parameter:
			why = "the version in " + c.Left.Name
		case c.Op == "=" && isState(c.Left.Name) && changes(s, c.Left.Name):
			why = "the state in " + c.Left.Name
		case (c.Op == ">=" || c.Op == ">") && changes(s, c.Left.Name) && c.Right.Kind != sqlshape.Complex:
			why = "the bound of " + c.Left.Name
		case c.Op == "=" && u.isOwner(s.Target.Name, c.Left.Name) && s.Verb == "update":
			if why == "" {
				why = "the owner in " + c.Left.Name
			}
		}
	}
	if !key {
		return ""
	}
	return why
}

func changes(s sqlshape.Statement, column string) bool {
	return s.Verb == "delete" || slices.ContainsFunc(s.Set, func(a sqlshape.Assignment) bool { return a.Column == column })
}

func isKey(column string) bool {
	return column == "id" || column == "uuid" || column == "key" || strings.HasSuffix(column, "_id") || strings.HasSuffix(column, "_uuid")
}

func isVersion(column string) bool {
	switch column {
	case "version", "revision", "lock_version", "row_version", "etag", "rev":
		return true
	}
	return false
}

func isState(column string) bool {
	return column == "status" || column == "state" || strings.HasSuffix(column, "_status") || strings.HasSuffix(column, "_state")
}

// isOwner reports whether a column holds the owner of a table that is declared as owned.
func (u *unit) isOwner(table, column string) bool {
	return slices.Contains(u.settings.owned[table].owner, column)
}
