package txn

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// tags are the command tags of one batch, as far as they show what became of its
// transaction.
type tags struct {
	ended string // what ended the transaction, or may have
}

// Statements after a ROLLBACK that was not a ROLLBACK TO SAVEPOINT run outside the
// transaction, so it is unknown which of them committed.
const rollbackAndMore = "ROLLBACK and what followed it"

func (t *tags) add(tag string) {
	switch {
	case tag == "" || t.ended == "COMMIT" || t.ended == "PREPARE TRANSACTION" || t.ended == "BEGIN":
	case t.ended == "ROLLBACK" && (tag == "BEGIN" || tag == "START TRANSACTION"):
		t.ended = "BEGIN"
	case t.ended == "ROLLBACK" || t.ended == rollbackAndMore:
		t.ended = rollbackAndMore
	case tag == "COMMIT", tag == "PREPARE TRANSACTION", tag == "ROLLBACK":
		t.ended = tag
	}
}

// ending returns what ended the transaction, if tags show that something did, whatever
// the status is now. Text that ends a transaction is refused, so only the name of a
// prepared statement, or a pgx.QueryRewriter, can produce such a tag. If the text has
// the word ROLLBACK, the tag may have been a ROLLBACK TO SAVEPOINT: the status then
// decides.
func ending(sql, ended string) string {
	switch ended {
	case "COMMIT", "PREPARE TRANSACTION", "BEGIN":
		return ended
	case "ROLLBACK", rollbackAndMore:
		if !hasRollback(sql) {
			return ended
		}
	}
	return ""
}

func hasRollback(sql string) bool { return strings.Contains(strings.ToUpper(sql), "ROLLBACK") }

// endedBy returns what the tag of one statement shows.
func endedBy(tag string) string {
	var t tags
	t.add(tag)
	return t.ended
}

// beginsItself reports whether BeginTx was called on a batch.
func beginsItself(b *pgx.Batch) bool {
	return pgx.FailedBatchResults(b, pgx.ErrTxClosed).Tx() != nil
}
