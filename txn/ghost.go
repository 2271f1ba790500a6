package txn

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// ghost is the session of a connection that was lost in the middle of a
// transaction. Until its server notices, it holds its locks.
type ghost struct {
	pid       uint32
	texts     []string // of the statements that it was last sent
	prefix    string   // of the text instead, where values are in it; empty: it is not known
	cockroach bool
	lost      time.Time // when that was noticed
	tried     bool      // to end it, in vain
}

// sending remembers by what the session would be known, should it become a ghost:
// what is sent now may not reach it. plain is the statement that pgx sends; a
// packet of ours is in the link.
func (a *attempt) sending(plain string) {
	switch {
	case a.plain != "":
		a.prior = a.plain
	case a.link != nil && len(a.link.statements) > 0:
		a.prior = a.link.statements[len(a.link.statements)-1].sql
	}
	a.plain = plain
}

// leavesGhost is what a lost connection may have left behind, or nil.
func (a *attempt) leavesGhost() *ghost {
	if a.link == nil || !a.lost() || a.neverBegan() {
		return nil
	}
	g := &ghost{pid: a.conn.PgConn().PID(), cockroach: a.cockroach, texts: []string{beginning(a.prior)}, lost: time.Now()}
	if a.link.mode == pgx.QueryExecModeSimpleProtocol && a.call != nil && a.call.once != nil {
		g.prefix = a.claimPrefix()
	}
	if a.plain != "" {
		g.texts = append(g.texts, beginning(a.plain))
		return g
	}
	for i := range a.link.statements {
		g.texts = append(g.texts, beginning(a.link.statements[i].sql))
	}
	return g
}

// neverBegan reports whether BEGIN is known not to have been carried out.
func (a *attempt) neverBegan() bool {
	if a.begun {
		return false
	}
	err := cmp.Or(a.broken, a.failed)
	pe := serverError(err)
	return pe != nil && fatal(pe) && (said(pe) || refused(pe)) || notSent(err)
}

// ghostText is how much of its last statement a session is known by: less than
// pg_stat_activity shows by default, which is 1024 bytes.
const ghostText = 250

func beginning(sql string) string {
	for i, n := 0, 0; i < len(sql); n++ {
		if n == ghostText {
			return sql[:i]
		}
		_, size := utf8.DecodeRuneInString(sql[i:])
		i += size
	}
	return sql
}

// The pid that a pooler gives is that of no session, or of somebody else's, which may
// have sent the same text. So no session is ended from a connection that says another
// pid of itself than the server does. The server may have given the pid to somebody
// else by now, so it has to be a session of the same user's that was last sent the
// same text, in a transaction that is older than the loss of ours. With Once it may
// be a little younger: what was on its way then may have taken the key, for which
// the next attempt waits.
//
// One that waits for a synchronous standby has committed and holds nothing up but
// its own rows: to end it would show what a failover may still lose.
const endGhost = `select pg_terminate_backend(pid) from pg_stat_activity
where pid = $1::bigint and pid <> pg_backend_pid() and pg_backend_pid() = $7::bigint and usename = current_user and datname = current_database()
and (left(query, $2) = any($3) or $6 <> '' and left(query, length($6)) = $6)
and backend_start < clock_timestamp() - make_interval(secs => $4)
and xact_start < clock_timestamp() - make_interval(secs => $5)
and wait_event is distinct from 'SyncRep'`

// onItsWay is how long something may have been on its way to the server when the
// connection was lost.
const onItsWay = time.Second

// exorciseTime bounds the attempt to end a ghost.
const exorciseTime = 2 * time.Second

// exorcise has PostgreSQL end the session that the attempt before left behind.
// Where that is not permitted, or not seen from here, the lock timeout of this
// attempt and the next retry have to do. The error says that the connection may be
// gone as well.
func (a *attempt) exorcise(ctx context.Context) error {
	g := a.call.ghost
	out, cancel := context.WithTimeout(ctx, exorciseTime)
	defer cancel()
	lost := time.Since(g.lost)
	begun := lost
	if a.call.once != nil {
		begun -= onItsWay
	}
	args := a.link.outside(g.pid, ghostText, g.texts, lost.Seconds(), begun.Seconds(), g.prefix, a.conn.PgConn().PID())
	_, err := a.conn.Exec(out, endGhost, args...)
	if out.Err() != nil && ctx.Err() == nil {
		g.tried = true // or each attempt waits as long
	}
	return err
}

// ghostLockTimeout is how long a statement of an attempt waits for a lock that a
// ghost may hold.
const ghostLockTimeout = time.Second

// firstAfter is BEGIN and its settings for an attempt that may meet a ghost.
func (c *config) firstAfter(g *ghost) []statement {
	own := func(s setting) bool { return strings.EqualFold(s.name, "lock_timeout") }
	if g == nil || g.cockroach || c.timeouts.Lock > 0 || slices.ContainsFunc(c.settings, own) {
		return c.first
	}
	s := Timeouts{Lock: ghostLockTimeout}.settings()[0]
	return append(append([]statement(nil), c.first...), s.statement())
}
