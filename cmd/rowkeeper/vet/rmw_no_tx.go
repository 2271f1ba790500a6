package vet

import (
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

var rule02 = &finding.Rule{
	ID: "RKV02", Name: "rmw-no-tx", Severity: finding.High, CWE: []int{362}, PCI: finding.PCIData,
	Title:     "A row is read, and then written with a value computed from it, outside of a transaction",
	Why:       "Two requests at once read the same value, and the second write undoes the first.",
	Fix:       "Do both in one SERIALIZABLE transaction with retry, or write set x = x + $n with a condition.",
	Silent:    "If the UPDATE has a condition on the column or on a version, and if the handle may be a transaction.",
	Bad:       "db.QueryRow(ctx, \"select balance …\").Scan(&balance)\ndb.Exec(ctx, \"update accounts set balance = $2 where id = $1\", id, balance+n)",
	Good:      "db.Exec(ctx, \"update accounts set balance = balance + $2 where id = $1\", id, n)",
	Rowkeeper: "txn.Run, or ColumnOf.Add",
}

func rmwNoTx(u *unit) {
	for _, fn := range u.Funcs {
		for _, rw := range readWrites(u, fn) {
			if rw.write.Class == dbcall.Pool && rw.read.Class == dbcall.Pool {
				u.report(rw.write.Instr, rw.table+"."+rw.column+" is computed from a row that was read before, without a transaction", statement(rw.write.SQL))
			}
		}
	}
}
