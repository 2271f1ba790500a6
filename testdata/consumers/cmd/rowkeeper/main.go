// Command consumer uses the packages of the scanner as a test of a service does.
package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet"
)

var _ = func(t *testing.T, conn *pgx.Conn) { audit.T(t, conn) }

func main() {
	rules, err := finding.Join(audit.Rules(), vet.Rules())
	if err != nil {
		panic(err)
	}
	_, coverage, err := vet.Run(context.Background(), ".", []string{"."}, vet.Options{})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(rules), "rules,", len(coverage.Subjects), "packages")
}
