package wire

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// Kind is the purpose of a statement.
type Kind uint8

const (
	Begin     Kind = iota
	Set            // a setting of the transaction
	Savepoint      // SAVEPOINT, RELEASE
	Claim          // takes the key of Once
	Guard          // around a claim
	Record         // stores the result of Once
	Queued
	Answered // its answer is waited for
	Standbys // shows whether COMMIT may wait for one
	Commit
)

// Phase returns the phase of the transaction that the statement belongs to.
func (k Kind) Phase() outcome.Phase {
	switch k {
	case Begin, Set:
		return outcome.Begin
	case Commit:
		return outcome.Commit
	}
	return outcome.Body
}

// Statement is a statement that may travel with others.
type Statement struct {
	Kind   Kind
	Rows   bool  // its rows are read, so it is described even without arguments
	Stream bool  // and read one by one, which only those of the last statement can be
	Number int32 // among queued statements, from 1; for the errors of the caller
	SQL    string
	Args   []any
	Into   *pgconn.Result // where its rows go, or nil
	About  any            // for the errors of the caller
}

// outgoing is a statement of a packet.
type outgoing struct {
	Statement
	described *description
	encoded   *pgx.ExtendedQueryBuilder
	trace     *trace // nil if there is no tracer, or it knows all
	fresh     bool   // described for this packet
	named     bool   // prepared under the name of described in its own packet
}
