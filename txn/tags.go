package txn

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// tags are the command tags of one batch, as far as they say what
// became of the transaction that it ran in.
type tags struct {
	ended string // what ended it, or may have
}

// What follows a ROLLBACK that was no ROLLBACK TO SAVEPOINT is carried out by
// itself, so nobody knows what is committed of it.
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

// ending is what ended the transaction, if tags say that something did whatever
// the status is now. A text that ends a transaction is refused, so only the name of
// a prepared statement, or a pgx.QueryRewriter, can bring such a tag. A ROLLBACK may
// have been a ROLLBACK TO SAVEPOINT, if the text has that word: there the status
// tells.
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

// endedBy is what the tag of one statement says.
func endedBy(tag string) string {
	var t tags
	t.add(tag)
	return t.ended
}

// beginsItself reports whether BeginTx was called on a batch.
func beginsItself(b *pgx.Batch) bool {
	return pgx.FailedBatchResults(b, pgx.ErrTxClosed).Tx() != nil
}
