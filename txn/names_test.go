package txn_test

import (
	"testing"

	"github.com/rowkeeper/rowkeeper/internal/exampled"
)

func TestEveryNameHasAnExample(t *testing.T) {
	t.Parallel()
	asInPgx := "as in pgx.Tx, which documents it"
	n := exampled.Check(t, map[string]string{
		"Tx.Conn":         asInPgx,
		"Tx.LargeObjects": asInPgx,
		"Tx.Prepare":      asInPgx,
	})
	if n < 50 {
		t.Errorf("only %d names were found", n)
	}
}
