package vet

import (
	"regexp"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

var rule04 = &finding.Rule{
	ID: "RKV04", Name: "commit-ignored", Severity: finding.High, CWE: []int{252}, PCI: finding.PCIData,
	Title: "The error of Commit is dropped",
	Why: "COMMIT can fail: a deferred constraint, a serialization conflict, a lost connection. Then nothing was stored, " +
		"and the caller reports success.",
	Fix:       "Return the error of Commit.",
	Silent:    "After RELEASE SAVEPOINT cockroach_restart, which commits. Low if the transaction only reads.",
	Bad:       "tx.Commit(ctx)\nreturn nil",
	Good:      "return tx.Commit(ctx)",
	Rowkeeper: "txn.RunInTx",
}

func commitIgnored(u *unit) {
	for _, fn := range u.Funcs {
		for _, call := range u.Calls[fn] {
			if call.Kind != dbcall.Commit || call.Via != nil || !dropped(call.Instr) || released(u, fn) {
				continue
			}
			message := "the error of Commit is dropped: if it fails, nothing was stored"
			if call.Deferred() {
				message = "the error of a deferred Commit is dropped, and it also commits after an error"
			}
			var extras []extra
			if readOnly(u, fn, call) {
				extras = append(extras, severity(finding.Low))
			}
			u.report(call.Instr, message, extras...)
		}
	}
}

// dropped reports whether nothing looks at what the call returns.
func dropped(call ssa.CallInstruction) bool {
	if _, ok := call.(*ssa.Call); !ok {
		return true // defer or go
	}
	err, has := dbcall.ErrorOf(call)
	if !has {
		return len(dbcall.Uses(call.Value())) == 0 // gorm
	}
	return err == nil || len(dbcall.Uses(err)) == 0
}

// released reports whether the function commits by releasing CockroachDB's savepoint.
func released(u *unit, fn *ssa.Function) bool {
	for _, call := range u.Calls[fn] {
		if sql := strings.ToLower(call.SQL); strings.Contains(sql, "release") && strings.Contains(sql, "cockroach_restart") {
			return true
		}
	}
	return false
}

// readOnly reports whether all that the transaction does is in this function, and reads.
func readOnly(u *unit, fn *ssa.Function, commit *dbcall.Call) bool {
	begin := u.BeginOf(commitHandle(commit))
	if begin == nil {
		return false
	}
	if u.ReadOnly(begin) {
		return true
	}
	reads := false
	for _, call := range u.Calls[fn] {
		if call.On != commit.On || !call.Kind.Runs() {
			continue
		}
		if !onlyReads(call.SQL) {
			return false
		}
		reads = true
	}
	return reads && !handedOn(u, begin)
}

var writing = regexp.MustCompile(`\b(insert|update|delete|merge|truncate|call|nextval|set|lock)\b`)

// onlyReads reports whether a statement is a query that changes nothing.
func onlyReads(sql string) bool {
	sql = strings.ToLower(strings.TrimSpace(sql))
	return (strings.HasPrefix(sql, "select") || strings.HasPrefix(sql, "with")) && !writing.MatchString(sql)
}

func commitHandle(call *dbcall.Call) ssa.Value { return dbcall.Args(call.Instr)[0] }

// handedOn reports whether a transaction is given to a function of which nothing is
// known, so that it may write.
func handedOn(u *unit, begin *ssa.Call) bool {
	tx := txValue(begin)
	if tx == nil {
		return false
	}
	for _, fn := range u.Funcs {
		for _, block := range fn.Blocks {
			for _, instr := range block.Instrs {
				call, ok := instr.(ssa.CallInstruction)
				if !ok {
					continue
				}
				for i, arg := range dbcall.Args(call) {
					callee := dbcall.Callee(call)
					method := i == 0 && callee != nil && callee.Signature().Recv() != nil
					known := callee != nil && u.FactOf(callee) != nil
					if !method && !known && u.Trace(arg) == (dbcall.Path{Root: tx}) {
						return true
					}
				}
			}
		}
	}
	return false
}

// txValue returns the transaction among the results of a call that begins one.
func txValue(begin *ssa.Call) ssa.Value {
	if begin.Call.Signature().Results().Len() == 1 {
		return begin
	}
	for _, use := range dbcall.Uses(begin) {
		if extract, ok := use.(*ssa.Extract); ok && extract.Index == 0 {
			return extract
		}
	}
	return nil
}
