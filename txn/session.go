package txn

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/txn/internal/sqltext"
)

// session is what this package keeps for a connection while that lives: how it sends
// statements, and which ones the server has described. pgx keeps its own cache of these
// private, and a statement that travels after BEGIN cannot be described first without a
// round trip of its own.
type session struct {
	conn      *pgx.Conn
	mode      pgx.QueryExecMode
	tracer    pgx.QueryTracer // nil if none
	cockroach bool
	described cache
	served    bool // has served an attempt
	nameless  bool // the server does not keep names, so none are sent
	describes bool // pgx has a cache of descriptions on it

	// Reused, as only one packet is in progress at a time.
	packet     packet
	statements []statement
	builders   []*pgx.ExtendedQueryBuilder // unused ones
}

const sessionKey = "github.com/rowkeeper/rowkeeper/txn"

func sessionOf(conn *pgx.Conn) *session {
	data := conn.PgConn().CustomData()
	if l, ok := data[sessionKey].(*session); ok && l.conn == conn {
		return l
	}
	config := conn.Config()
	l := &session{
		conn:      conn,
		mode:      config.DefaultQueryExecMode,
		tracer:    config.Tracer,
		cockroach: conn.PgConn().ParameterStatus("crdb_version") != "",
		describes: config.DescriptionCacheCapacity > 0,
	}
	switch l.mode {
	case pgx.QueryExecModeCacheStatement:
		l.described.capacity = config.StatementCacheCapacity
	case pgx.QueryExecModeCacheDescribe:
		l.described.capacity = config.DescriptionCacheCapacity
	}
	if _, alone := l.tracer.(*guard); alone { // it lets all operations of the call itself pass
		l.tracer = nil
	}
	if data != nil { // nil if a pgconn.HijackedConn had none
		data[sessionKey] = l
	}
	return l
}

// canPipeline reports whether a statement can join a packet, in this connection's mode.
// Others go through pgx alone, after a separate BEGIN: statements with options for pgx
// among the arguments, text of several statements, and text that may be the name of a
// prepared statement.
func (l *session) canPipeline(sql string, args []any) bool {
	switch l.mode {
	case pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe:
		if l.described.capacity <= 0 {
			return false // pgx reports the error
		}
	case pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol:
	default:
		return false
	}
	for i, arg := range args {
		switch arg.(type) {
		case pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID:
			return false
		case pgx.QueryRewriter:
			if i == 0 {
				continue
			}
		}
		break
	}
	return sqltext.IsStatement(sql) && !sqltext.IsSeveral(sql)
}

// needsDescription reports whether a statement with arguments cannot be encoded before
// the server has described its parameters.
func (l *session) needsDescription(s *statement) bool {
	switch l.mode {
	case pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol:
		return false
	}
	return len(s.args) > 0 || s.rows
}

// names reports whether statements are prepared under a name.
func (l *session) names() bool { return l.mode == pgx.QueryExecModeCacheStatement && !l.nameless }

// withoutNames stops sending names: the server did not know a name that it had been
// given, or had one already, so a pooler leads to several sessions. Existing
// descriptions stay valid and cost no more round trips.
func (l *session) withoutNames() {
	if l != nil && l.names() {
		l.nameless = true
		l.described.dropAll()
		l.described.dropped = nil // other clients use them too
	}
}

// outside returns args for a statement that pgx sends outside a transaction. It goes in
// one packet: behind a pooler, a statement prepared in one packet may be in another
// session than the next packet reaches, and a name there, even the empty one, may be
// another statement.
func (l *session) outside(args ...any) []any {
	if l.mode == pgx.QueryExecModeSimpleProtocol {
		return args
	}
	return append([]any{pgx.QueryExecModeExec}, args...)
}

// nameBeginAndCommit makes the server parse BEGIN and COMMIT once per connection. That
// takes no round trip, as nothing has to be known of them. A trailing COMMIT goes as
// text.
func (l *session) nameBeginAndCommit(statements []statement) {
	if !l.names() || l.described.capacity < 2 || goesAsText(statements) {
		return
	}
	for i := range statements {
		s := &statements[i]
		if s.kind != begins && (s.kind != commits || !l.cockroach) || s.option != "" {
			continue
		}
		if s.described = l.described.get(s.sql); s.described == nil {
			s.described, s.named = &pgconn.StatementDescription{Name: nameOf(s.sql), SQL: s.sql}, true
		}
	}
}

// rewrite applies a pgx.QueryRewriter, such as pgx.NamedArgs.
func (l *session) rewrite(ctx context.Context, s *statement) error {
	if len(s.args) == 0 {
		return nil
	}
	r, ok := s.args[0].(pgx.QueryRewriter)
	if !ok {
		return nil
	}
	sql, args, err := r.RewriteQuery(ctx, l.conn, s.sql, s.args[1:])
	if err != nil {
		return err
	}
	if what := sqltext.Control(sql); what != "" {
		return fmt.Errorf("%w; the query was rewritten to %s", errNotYours, what)
	}
	s.sql, s.args = sql, args
	return nil
}

func (l *session) builder() *pgx.ExtendedQueryBuilder {
	if n := len(l.builders); n > 0 {
		b := l.builders[n-1]
		l.builders = l.builders[:n-1]
		return b
	}
	return new(pgx.ExtendedQueryBuilder)
}

// reuse keeps a builder for another statement, but not its contents: pgx releases a
// large buffer only when the next one is built, and the values never.
func (l *session) reuse(b *pgx.ExtendedQueryBuilder) {
	const kept = 4
	if b == nil || len(l.builders) >= kept {
		return
	}
	clear(b.ParamValues)
	if b.Build(l.conn.TypeMap(), nil, nil) == nil { // building nothing cannot fail
		l.builders = append(l.builders, b)
	}
}

// cache holds the descriptions of statements, and drops the least recently used first.
// In the modes without a cache its capacity is 0 and it holds none.
type cache struct {
	capacity int
	used     list.List                // of *pgconn.StatementDescription, most recently used first
	bySQL    map[string]*list.Element // by its text
	dropped  []string                 // names that the server may still have
}

func (c *cache) get(sql string) *pgconn.StatementDescription {
	e := c.bySQL[sql]
	if e == nil {
		return nil
	}
	c.used.MoveToFront(e)
	return e.Value.(*pgconn.StatementDescription)
}

// nameOf returns the name of a prepared statement: a hash of its text, so that it means
// the same statement in every session. Behind a pooler a name may reach a session in
// which another client prepared it.
func nameOf(sql string) string {
	digest := sha256.Sum256([]byte(sql))
	return "rowkeeper_" + hex.EncodeToString(digest[:24])
}

// put keeps the description of a statement that was just prepared.
func (c *cache) put(sd *pgconn.StatementDescription) {
	defer c.undrop(sd.Name)
	if c.capacity <= 0 {
		return
	}
	if c.bySQL == nil {
		c.bySQL = make(map[string]*list.Element)
	}
	c.drop(sd.SQL)
	for c.used.Len() >= c.capacity {
		c.drop(c.used.Back().Value.(*pgconn.StatementDescription).SQL)
	}
	c.bySQL[sd.SQL] = c.used.PushFront(sd)
}

// dropAll drops all descriptions, because one was stale.
func (c *cache) dropAll() {
	for c.used.Len() > 0 {
		c.drop(c.used.Front().Value.(*pgconn.StatementDescription).SQL)
	}
}

func (c *cache) drop(sql string) {
	e := c.bySQL[sql]
	if e == nil {
		return
	}
	delete(c.bySQL, sql)
	if sd := c.used.Remove(e).(*pgconn.StatementDescription); sd.Name != "" {
		c.dropped = append(c.dropped, sd.Name)
	}
}

// undrop removes a name from the list of those to close, as it is in use again.
func (c *cache) undrop(name string) {
	c.dropped = slices.DeleteFunc(c.dropped, func(n string) bool { return n == name })
}
