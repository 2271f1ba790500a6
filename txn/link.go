package txn

import (
	"container/list"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// link is what this package keeps for a connection as long as that lives: how
// it sends statements, and which ones it has had described. pgx keeps its own
// cache of these to itself, and a statement that travels behind BEGIN cannot be
// described first without a round trip of its own.
type link struct {
	conn      *pgx.Conn
	mode      pgx.QueryExecMode
	tracer    pgx.QueryTracer // nil: none
	cockroach bool
	described cache

	// For reuse, as only one packet is under way at a time.
	flight     flight
	statements []statement
	builders   []*pgx.ExtendedQueryBuilder // unused ones
}

const linkKey = "github.com/rowkeeper/rowkeeper/txn"

func linkOf(conn *pgx.Conn) *link {
	data := conn.PgConn().CustomData()
	if l, ok := data[linkKey].(*link); ok && l.conn == conn {
		return l
	}
	config := conn.Config()
	l := &link{
		conn:      conn,
		mode:      config.DefaultQueryExecMode,
		tracer:    config.Tracer,
		cockroach: conn.PgConn().ParameterStatus("crdb_version") != "",
	}
	switch l.mode {
	case pgx.QueryExecModeCacheStatement:
		l.described.capacity = config.StatementCacheCapacity
	case pgx.QueryExecModeCacheDescribe:
		l.described.capacity = config.DescriptionCacheCapacity
	}
	if data != nil { // it is nil where a pgconn.HijackedConn had none
		data[linkKey] = l
	}
	return l
}

// carries reports whether a statement can travel with others in one packet, in
// this connection's mode. What cannot goes through pgx by itself, behind a BEGIN
// that goes by itself: statements with options for pgx among the arguments, text
// of several statements, and everything that may be the name of a prepared
// statement.
func (l *link) carries(sql string, args []any) bool {
	switch l.mode {
	case pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe:
		if l.described.capacity <= 0 {
			return false // pgx has the error for it
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
	return isStatement(sql) && !isSeveral(sql)
}

// isStatement reports whether text is SQL for sure, and not the name of a
// prepared statement, which pgx takes in the same place.
func isStatement(sql string) bool {
	word := firstWord(sql)
	return isDataWord(word) || slices.Contains([]string{"table", "lock", "set", "show", "truncate", "create", "alter", "drop"}, word)
}

// isData reports whether text reads or writes rows, and so changes nothing of how
// what comes behind it is read.
func isData(sql string) bool { return isDataWord(firstWord(sql)) }

func isDataWord(word string) bool {
	return slices.Contains([]string{"select", "insert", "update", "delete", "merge", "upsert", "with", "values"}, word)
}

// firstWord is the first word of text in lower case, if anything follows it.
func firstWord(sql string) string {
	text := skipComments(sql)
	end := 0
	for end < len(text) && (text[end]|0x20 >= 'a' && text[end]|0x20 <= 'z' || text[end] == '_' || text[end] >= '0' && text[end] <= '9') {
		end++
	}
	if end == len(text) || !strings.ContainsRune(" \t\r\n(*/-", rune(text[end])) {
		return ""
	}
	return strings.ToLower(text[:end])
}

func skipComments(sql string) string {
	for {
		sql = strings.TrimLeft(sql, " \t\r\n(")
		switch {
		case strings.HasPrefix(sql, "--"):
			_, sql, _ = strings.Cut(sql, "\n")
		case strings.HasPrefix(sql, "/*"):
			_, sql, _ = strings.Cut(sql, "*/")
		default:
			return sql
		}
	}
}

// isSeveral reports whether text may be more than one statement. A semicolon in
// a literal counts too: what is taken for several only travels by itself.
func isSeveral(sql string) bool {
	return strings.Contains(strings.TrimRight(sql, "; \t\r\n"), ";")
}

// needsDescription reports whether a statement with args cannot be encoded
// before the server has said what its parameters are.
func (l *link) needsDescription(s *statement) bool {
	switch l.mode {
	case pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol:
		return false
	}
	return len(s.args) > 0 || s.rows
}

// nameBeginAndCommit has the server parse BEGIN and COMMIT once for a connection.
// That takes no round trip, as nothing has to be known of them.
func (l *link) nameBeginAndCommit(statements []statement) {
	if l.mode != pgx.QueryExecModeCacheStatement || l.described.capacity < 2 || goesAsText(statements) {
		return
	}
	for i := range statements {
		s := &statements[i]
		if s.kind != begins && s.kind != commits || s.option != "" {
			continue
		}
		if s.described = l.described.get(s.sql); s.described == nil {
			s.described, s.named = &pgconn.StatementDescription{Name: l.described.name(), SQL: s.sql}, true
		}
	}
}

// rewrite lets a pgx.QueryRewriter, such as pgx.NamedArgs, have its way.
func (l *link) rewrite(ctx context.Context, s *statement) error {
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
	s.sql, s.args = sql, args
	return nil
}

func (l *link) builder() *pgx.ExtendedQueryBuilder {
	if n := len(l.builders); n > 0 {
		b := l.builders[n-1]
		l.builders = l.builders[:n-1]
		return b
	}
	return new(pgx.ExtendedQueryBuilder)
}

func (l *link) reuse(b *pgx.ExtendedQueryBuilder) {
	const kept = 4
	if b != nil && len(l.builders) < kept {
		l.builders = append(l.builders, b)
	}
}

// cache holds the descriptions of statements, the least recently used of which
// goes first. In the modes without a cache its capacity is 0 and it holds none.
type cache struct {
	capacity int
	used     list.List                // of *pgconn.StatementDescription, the last used in front
	bySQL    map[string]*list.Element // by its text
	dropped  []string                 // names that the server still has
	named    int
}

func (c *cache) get(sql string) *pgconn.StatementDescription {
	e := c.bySQL[sql]
	if e == nil {
		return nil
	}
	c.used.MoveToFront(e)
	return e.Value.(*pgconn.StatementDescription)
}

// name is a new name for a prepared statement. None is used twice, so one that
// is dropped later cannot be mistaken for a newer one.
func (c *cache) name() string {
	c.named++
	return "rowkeeper_" + strconv.Itoa(c.named)
}

func (c *cache) put(sd *pgconn.StatementDescription) {
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

// dropAll drops everything, because something was stale. Names that are gone need
// not be given back.
func (c *cache) dropAll(gone bool) {
	for c.used.Len() > 0 {
		c.drop(c.used.Front().Value.(*pgconn.StatementDescription).SQL)
	}
	if gone {
		c.dropped = nil
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
