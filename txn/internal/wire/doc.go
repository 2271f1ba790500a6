// Package wire sends statements in one packet on one connection, and reads their
// results. It knows the protocol and the connection, and nothing of attempts.
//
// # The packet
//
// A packet is one write. On PostgreSQL it consists of
//
//	Close?  Parse?  Bind  Describe?  Execute     BEGIN, prepared under a name once
//	Parse   Bind    Describe         Execute     a statement without a name
//	        Bind                     Execute     a prepared statement
//	        Bind                     Execute     COMMIT, at the end of the transaction
//	Sync                                         an error skips what is before it
//
// and the answer of, for each statement, ParseComplete, BindComplete, RowDescription or
// NoData, DataRow…, and CommandComplete, with ReadyForQuery for Sync. If COMMIT may wait
// for a synchronous standby, it follows Sync as Query "commit", so that the statements
// before it are answered without waiting for it (see [trailingCommit]).
//
// Three senders make it: [exchange] writes and reads the messages itself, [pipeline] is
// pgx's, for rows that the caller reads one by one, during which pgx must know that the
// connection is busy, and [simple] is for simple_protocol, where a packet is one text.
package wire
