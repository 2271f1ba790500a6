package wire

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/txn/internal/sqltext"
)

// Session is what this package keeps for a connection while that lives: how it sends
// statements, and which ones the server has described. pgx keeps its own cache of these
// private, and a statement that travels after BEGIN cannot be described first without a
// round trip of its own.
//
// Only one packet is in progress at a time, so a session has one, and reuses it.
type Session struct {
	conn      *pgx.Conn
	mode      pgx.QueryExecMode
	tracer    pgx.QueryTracer // nil if none
	cockroach bool
	described descriptions
	served    bool // has served an attempt
	nameless  bool // the server does not keep names, so none are sent
	describes bool // pgx has a cache of descriptions on it
	standbys  standbys

	sends    []outgoing // the statements of the packet
	from     int        // those before it have been sent, to describe the others
	packet   Packet
	exchange exchange
	whole    watcher // of the context of a transaction
	watcher  watcher // of another one, of a packet
	watchdog Watchdog
	peek     peek
	builders []*pgx.ExtendedQueryBuilder // unused ones
}

const sessionKey = "github.com/rowkeeper/rowkeeper/txn"

// SessionOf returns the session of a connection. isOwn reports whether a tracer of the
// connection needs to be told of nothing.
func SessionOf(conn *pgx.Conn, isOwn func(pgx.QueryTracer) bool) *Session {
	data := conn.PgConn().CustomData()
	if s, ok := data[sessionKey].(*Session); ok && s.conn == conn {
		return s
	}
	config := conn.Config()
	s := &Session{
		conn:      conn,
		mode:      config.DefaultQueryExecMode,
		tracer:    config.Tracer,
		cockroach: conn.PgConn().ParameterStatus("crdb_version") != "",
		describes: config.DescriptionCacheCapacity > 0,
	}
	switch s.mode {
	case pgx.QueryExecModeCacheStatement:
		s.described.lru.capacity = config.StatementCacheCapacity
	case pgx.QueryExecModeCacheDescribe:
		s.described.lru.capacity = config.DescriptionCacheCapacity
	}
	if isOwn(s.tracer) {
		s.tracer = nil
	}
	s.exchange.session = s
	s.whole.of(config.BuildContextWatcherHandler(conn.PgConn()))
	s.watcher.of(config.BuildContextWatcherHandler(conn.PgConn()))
	s.watchdog.of(conn.PgConn())
	s.peek.of(conn.PgConn().Conn())
	if data != nil { // nil if a pgconn.HijackedConn had none
		data[sessionKey] = s
	}
	return s
}

// Mode returns how the connection executes statements.
func (s *Session) Mode() pgx.QueryExecMode { return s.mode }

// Serve reports whether the session has served an attempt before, as it does from now
// on.
func (s *Session) Serve() (before bool) {
	before, s.served = s.served, true
	return before
}

// Sent returns the statements that were sent last, until the next ones are collected.
func (s *Session) Sent() iter.Seq[*Statement] {
	return func(yield func(*Statement) bool) {
		for i := range s.sends {
			if !yield(&s.sends[i].Statement) {
				return
			}
		}
	}
}

// Watch makes the end of a context interrupt every statement, until Unwatch.
func (s *Session) Watch(ctx context.Context) { s.whole.watch(ctx) }

// Unwatch undoes Watch.
func (s *Session) Unwatch() { s.whole.end() }

// Forget drops what belongs to the call that used the session, which outlives it.
func (s *Session) Forget() {
	if s.Busy() { // because of a panic
		GiveUp(s.conn)
		if s.packet.answers != nil {
			_ = s.packet.answers.close()
		}
	}
	s.Unwatch()
	clear(s.sends[:cap(s.sends)])
	s.sends, s.from = s.sends[:0], 0
	s.packet = Packet{}
	s.exchange = exchange{session: s}
}

// CanPipeline reports whether a statement can join a packet, in this connection's mode.
// Others go through pgx alone, after a separate BEGIN: statements with options for pgx
// among the arguments, text of several statements, and text that may be the name of a
// prepared statement.
func (s *Session) CanPipeline(sql string, args []any) bool {
	switch s.mode {
	case pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe:
		if s.described.lru.capacity <= 0 {
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

// Simple reports whether a packet is one text, which the server parses before it
// executes any of it.
func (s *Session) Simple() bool { return s.mode == pgx.QueryExecModeSimpleProtocol }

// Undescribed reports whether a statement must be described before it can be encoded.
func (s *Session) Undescribed(st *Statement) bool {
	return s.needsDescription(st) && s.described.get(st.SQL) == nil
}

// needsDescription reports whether a statement with arguments cannot be encoded before
// the server has described its parameters.
func (s *Session) needsDescription(st *Statement) bool {
	switch s.mode {
	case pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol:
		return false
	}
	return len(st.Args) > 0 || st.Rows
}

// Redescribe makes the next packet with a statement have it described again.
func (s *Session) Redescribe(sql string) { s.described.drop(sql) }

// names reports whether statements are prepared under a name.
func (s *Session) names() bool { return s.mode == pgx.QueryExecModeCacheStatement && !s.nameless }

// WithoutNames stops sending names: the server did not know a name that it had been
// given, or had one already, so a pooler leads to several sessions. Existing
// descriptions stay valid and cost no more round trips.
func (s *Session) WithoutNames() {
	if s.names() {
		s.nameless = true
		s.described.dropAll()
		s.described.dropped = nil // other clients use them too
	}
}

// Plain returns args for a statement that pgx sends in the transaction, without a name
// if the server does not keep them.
func (s *Session) Plain(args []any) []any {
	switch {
	case !s.nameless:
		return args
	case s.describes:
		return append([]any{pgx.QueryExecModeCacheDescribe}, args...)
	}
	return append([]any{pgx.QueryExecModeDescribeExec}, args...)
}

// Outside returns args for a statement that pgx sends outside a transaction. It goes in
// one packet: behind a pooler, a statement prepared in one packet may be in another
// session than the next packet reaches, and a name there, even the empty one, may be
// another statement.
func (s *Session) Outside(args ...any) []any {
	if s.Simple() {
		return args
	}
	return append([]any{pgx.QueryExecModeExec}, args...)
}

// Rewrite applies a pgx.QueryRewriter, such as pgx.NamedArgs, and reports whether there
// was one.
func (s *Session) Rewrite(ctx context.Context, st *Statement) (bool, error) {
	if len(st.Args) == 0 {
		return false, nil
	}
	r, ok := st.Args[0].(pgx.QueryRewriter)
	if !ok {
		return false, nil
	}
	sql, args, err := r.RewriteQuery(ctx, s.conn, st.SQL, st.Args[1:])
	if err == nil {
		st.SQL, st.Args = sql, args
	}
	return true, err
}
