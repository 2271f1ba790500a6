package vet

import (
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

var rule03 = &finding.Rule{
	ID: "RKV03", Name: "rmw-unlocked", Severity: finding.High, CWE: []int{362}, PCI: finding.PCIData,
	Title: "A row is read without a lock, and then written with a value computed from it, in a READ COMMITTED transaction",
	Why: "READ COMMITTED, the default of PostgreSQL, lets another transaction write the row between the two statements. Its write " +
		"is lost.",
	Fix:       "Read with FOR UPDATE, or use SERIALIZABLE with retry.",
	Silent:    "With REPEATABLE READ or SERIALIZABLE, on CockroachDB if the export says so, and if the transaction's options are not known.",
	Bad:       "tx.QueryRow(ctx, \"select balance from accounts where id = $1\", id).Scan(&balance)\ntx.Exec(ctx, \"update accounts set balance = $2 where id = $1\", id, balance+n)",
	Good:      "tx.QueryRow(ctx, \"select balance from accounts where id = $1 for update\", id).Scan(&balance)",
	Rowkeeper: "txn.Run",
}

func rmwUnlocked(u *unit) {
	if u.settings.engine == "cockroachdb" {
		return
	}
	for _, fn := range u.Funcs {
		for _, rw := range readWrites(u, fn) {
			if !rw.locks && !lockedBefore(u, fn, rw) && readCommitted(u, rw.write) {
				u.report(rw.write.Instr, rw.table+"."+rw.column+" is computed from a row that was read without FOR UPDATE", statement(rw.write.SQL))
			}
		}
	}
}

// readCommitted reports whether a statement is in a transaction whose beginning is seen,
// and which runs at the default level.
func readCommitted(u *unit, call *dbcall.Call) bool {
	if call.On.Root == nil {
		return false
	}
	if setsLevel(u, call.Instr.Parent()) {
		return false
	}
	if param, ok := call.On.Root.(*ssa.Parameter); ok {
		run := u.RunOf[param.Parent()]
		return run != nil && !run.Serializable && call.Class == dbcall.Tx && run.Pool != (dbcall.Path{})
	}
	if call.On.Fields != "" {
		return false
	}
	begin := u.BeginOf(call.On.Root)
	return begin != nil && !u.Serializable(begin)
}

// setsLevel reports whether the function sets the isolation level by SQL, or takes a
// lock of its own.
func setsLevel(u *unit, fn *ssa.Function) bool {
	for _, call := range u.Calls[fn] {
		sql := strings.ToLower(call.SQL)
		if strings.Contains(sql, "isolation level") || strings.Contains(sql, "advisory") || strings.HasPrefix(strings.TrimSpace(sql), "lock ") {
			return true
		}
	}
	return false
}

// lockedBefore reports whether a statement before the read locks rows of the table.
func lockedBefore(u *unit, fn *ssa.Function, rw readWrite) bool {
	for _, call := range u.Calls[fn] {
		sql := strings.ToLower(call.SQL)
		if call.On == rw.read.On && strings.Contains(sql, "for update") && strings.Contains(sql, rw.table) && dbcall.Reaches(call.Instr, rw.write.Instr, nil) {
			return true
		}
	}
	return false
}
