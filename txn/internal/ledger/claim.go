package ledger

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/rowkeeper/rowkeeper/txn/internal/sqltext"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// Claim is an attempt's claim of the key of a request.
//
// A key is taken by one of two statements: an INSERT if there is no row, or, if there
// is a row without an effect, an UPDATE of it that names the nonce of the attempt which
// left it. Both set a new nonce, and nonces are never reused. So a late statement fails
// once there is a row, or a row with another nonce than it names. Nothing changes a row
// with an effect.
type Claim struct {
	Nonce    string
	Answered bool // by the server
	Burns    bool // it only makes others fail

	request *Request
	over    string  // the nonce of the claim that it takes over, or ""
	result  *string // to be stored in it
}

const (
	insertClaim = "insert into rowkeeper_ledger (namespace, key, attempt, request, expires_at) " +
		"values ($1, $2, $3, $4, now() + $5::bigint * interval '1 second')"
	insertWithResult = "insert into rowkeeper_ledger (namespace, key, attempt, request, expires_at, result) " +
		"values ($1, $2, $3, $4, now() + $5::bigint * interval '1 second', $6)"
	fromBlocked = " where namespace = $1 and key = $2 and attempt = $6 and request is null"

	// PostgreSQL's short lock timeout, for the claim alone.
	hurry = "select set_config('rowkeeper.lock_timeout', current_setting('lock_timeout'), true), set_config('lock_timeout', '100ms', true)"
	relax = "select set_config('lock_timeout', current_setting('rowkeeper.lock_timeout'), true)"
	// CockroachDB's probe, which sees uncommitted rows. Nothing is decided by what it
	// reads.
	probe = "select 1 from rowkeeper_ledger where namespace = $1 and key = $2 for update nowait"
)

// Each fails if it does not find its row in the expected state.
var (
	storeResult        = sqltext.Expectation{Rows: 1, SQL: "update rowkeeper_ledger set result = $4 where namespace = $1 and key = $2 and attempt = $3"}
	storeResultSQL     = storeResult.Statement()
	takeOver           = takingOver("")
	takeOverWithResult = takingOver(", result = $7")
)

func takingOver(set string) string {
	e := sqltext.Expectation{Rows: 1, SQL: "update rowkeeper_ledger set attempt = $3, request = $4, expires_at = now() + $5::bigint * interval '1 second'" + set + fromBlocked}
	return e.Statement()
}

// Claim returns a claim for a new attempt, which takes the key over from the claim with
// the nonce over, if that is not empty.
func (r *Request) Claim(over string) *Claim {
	return &Claim{Nonce: rand.Text(), request: r, over: over}
}

// Begin returns the statements that go ahead of all others. cockroach is the engine, or
// nil if it is not known.
func (c *Claim) Begin(cockroach *bool) []wire.Statement {
	r := c.request
	s := wire.Statement{Kind: wire.Claim, SQL: insertClaim, Args: []any{r.Namespace, r.Key, c.Nonce, r.Hash, int64(r.Retention / time.Second)}}
	if c.Burns {
		s.Args[3] = []byte(nil)
	}
	if c.over != "" {
		s.SQL, s.Args = takeOver, append(s.Args, c.over)
	}
	if c.result != nil {
		carry(&s, *c.result)
	}
	switch {
	case !r.NoWait || c.Burns || cockroach == nil:
		return []wire.Statement{s}
	case *cockroach:
		return []wire.Statement{{Kind: wire.Guard, SQL: probe, Args: []any{r.Namespace, r.Key}}, s}
	}
	return []wire.Statement{{Kind: wire.Guard, SQL: hurry}, s, {Kind: wire.Guard, SQL: relax}}
}

// Beginning returns how the text of these statements begins if the values are in it.
func (c *Claim) Beginning() string {
	text, _, _ := strings.Cut(insertClaim, ")")
	if c.over != "" {
		text, _, _ = strings.Cut(takeOver, "$")
	}
	if c.request.NoWait && !c.Burns {
		return hurry + "\n;" + text
	}
	return text
}

// carry adds the result to a claim that was not sent yet.
func carry(s *wire.Statement, result string) {
	sql := insertWithResult
	if s.SQL == takeOver {
		sql = takeOverWithResult
	}
	s.SQL, s.Args = sql, append(s.Args, result)
}

// Commit adds the result to the statements that are sent with COMMIT: to the claim, or
// after all if the claim was sent before. It reports whether there is a claim. If
// nothing is connected yet, the claim will be made by Begin.
func (c *Claim) Commit(queue []wire.Statement, result *string, connected bool) ([]wire.Statement, bool) {
	i := slices.IndexFunc(queue, func(s wire.Statement) bool { return s.Kind == wire.Claim })
	switch {
	case i < 0 && !c.Answered && connected:
		return queue, false
	case result == nil:
	case i >= 0:
		carry(&queue[i], *result)
	case c.Answered:
		queue = append(queue, wire.Statement{
			Kind: wire.Record, SQL: storeResultSQL, About: &storeResult,
			Args: []any{c.request.Namespace, c.request.Key, c.Nonce, *result},
		})
	default:
		c.result = result
	}
	return queue, true
}
