package probe

import "github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"

var errorLeak = &finding.Rule{
	ID: "RKP11", Name: "error-leak", Severity: finding.Medium,
	Title: "An answer shows the inside of the service: SQL, its driver, a stack, a path, a constraint",
	CWE:   []int{209}, API: "API8", PCI: finding.PCIData,
	Why: "The text of an error is written to the client. It tells an attacker the database, its tables and where an input " +
		"reaches a statement.",
	Fix:       "Map errors to texts of your own, and log the rest.",
	Silent:    "Texts that the document itself uses.",
	Bad:       "http.Error(w, err.Error(), 500)",
	Good:      "a problem with a code of the service: {\"code\": \"account_name_taken\"}",
	Rowkeeper: "errs.NewCatalog(…).Handler(f)",
}
