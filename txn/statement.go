package txn

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// kindOf is the purpose of a statement.
type kindOf uint8

const (
	begins kindOf = iota
	sets
	marks   // SAVEPOINT, RELEASE
	claims  // the key of Once
	guards  // statements around a claim
	records // the result of Once
	queued
	answered // its answer is waited for
	commits
)

func (k kindOf) phase() outcome.Phase {
	switch k {
	case begins, sets:
		return outcome.Begin
	case commits:
		return outcome.Commit
	}
	return outcome.Body
}

// statement is a statement that may travel with others.
type statement struct {
	kind     kindOf
	rows     bool // its rows are read, so it is described even without arguments
	sql      string
	args     []any
	number   int            // among queued statements, from 1
	option   string         // the option that it comes from, or ""
	result   *pgconn.Result // where its rows go, for Batch
	expected *expectation   // for QueueExpect

	described *pgconn.StatementDescription
	named     bool // prepared under the name of described in its own packet
	renamed   bool // the server still had that name, so it is closed first
	encoded   *pgx.ExtendedQueryBuilder
	fresh     bool // described for this packet
	traced    context.Context
	endsTrace bool // its rows end the trace, as pgx's do in a batch
}
