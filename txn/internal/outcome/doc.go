// Package outcome decides what became of a transaction, and whether it may run again,
// from what is known when it has ended or failed: the error, the part of the
// transaction that the error belongs to, and the server. It is a table, tried from top
// to bottom, and knows no connections.
package outcome
