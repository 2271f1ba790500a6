// Package ledger decides what exactly once means for values: which requests are the
// same, and which results come back from JSON as they were. It knows no database.
package ledger
