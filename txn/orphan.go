package txn

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// orphan is the orphaned session of a connection that was lost in the middle of a
// transaction. It holds its locks until its server notices.
type orphan struct {
	pid       uint32
	texts     []string // of the statements last sent to it
	prefix    string   // of the text instead, if values are in it; "" if unknown
	cockroach bool
	lost      time.Time // when the loss was noticed
	tried     bool      // terminating it has failed
}

// sending records how the session could be identified if it became orphaned: what is
// sent now may not arrive. plain is the statement that pgx sends by itself, or "" if a
// packet of this package is sent.
func (a *attempt) sending(plain string) {
	switch {
	case a.plain != "":
		a.prior = a.plain
	case a.session != nil:
		for s := range a.session.Sent() {
			a.prior = s.SQL
		}
	}
	a.plain = plain
}

// orphanLeft returns the orphaned session that a lost connection may have left, or
// nil.
func (a *attempt) orphanLeft() *orphan {
	if a.session == nil || !a.lost() || a.neverBegan() {
		return nil
	}
	g := &orphan{pid: a.conn.PgConn().PID(), cockroach: a.cockroach, texts: []string{beginning(a.prior)}, lost: time.Now()}
	if a.session.Simple() && a.call != nil && a.call.once != nil {
		g.prefix = a.claimPrefix()
	}
	if a.plain != "" {
		g.texts = append(g.texts, beginning(a.plain))
		return g
	}
	for s := range a.session.Sent() {
		g.texts = append(g.texts, beginning(s.SQL))
	}
	return g
}

// neverBegan reports whether BEGIN is known not to have been executed.
func (a *attempt) neverBegan() bool {
	if a.begun {
		return false
	}
	err := cmp.Or(a.broken, a.failed)
	pe := pgerr.ServerError(err)
	return pe != nil && pgerr.Fatal(pe) && (pgerr.FromDatabase(pe) || outcome.Refused(pe)) || outcome.NotSent(err)
}

// orphanText is how much of its last statement identifies a session: less than
// pg_stat_activity shows by default, which is 1024 bytes.
const orphanText = 250

func beginning(sql string) string {
	for i, n := 0, 0; i < len(sql); n++ {
		if n == orphanText {
			return sql[:i]
		}
		_, size := utf8.DecodeRuneInString(sql[i:])
		i += size
	}
	return sql
}

// endOrphan terminates an orphaned session. A pooler reports a pid that belongs to no
// session, or to another client's, which may have sent the same text. So no session is
// terminated through a connection whose reported pid differs from the server's. The
// server may also have reused the pid, so the session must be of the same user, have
// been sent the same text last, and be in a transaction older than the loss. With Once
// the transaction may be slightly younger: a packet on its way at that time may have
// taken the key, which the next attempt waits for.
//
// A session that waits for a synchronous standby has committed and blocks only its own
// rows. Terminating it would expose data that a failover may still lose.
const endOrphan = `select pg_terminate_backend(pid) from pg_stat_activity
where pid = $1::bigint and pid <> pg_backend_pid() and pg_backend_pid() = $7::bigint and usename = current_user and datname = current_database()
and (left(query, $2) = any($3) or $6 <> '' and left(query, length($6)) = $6)
and backend_start < clock_timestamp() - make_interval(secs => $4)
and xact_start < clock_timestamp() - make_interval(secs => $5)
and wait_event is distinct from 'SyncRep'`

// onItsWay is how long a packet may have been on its way to the server when the
// connection was lost.
const onItsWay = time.Second

// terminateTime limits the time to terminate an orphaned session.
const terminateTime = 2 * time.Second

// terminateOrphan makes PostgreSQL terminate the session that the previous attempt orphaned.
// If that is not permitted, or the session is not visible from here, the lock timeout
// of this attempt and the next retry have to suffice. The error reports that this
// connection may be lost too.
func (a *attempt) terminateOrphan(ctx context.Context) error {
	g := a.call.orphan
	out, cancel := context.WithTimeout(ctx, terminateTime)
	defer cancel()
	lost := time.Since(g.lost)
	begun := lost
	if a.call.once != nil {
		begun -= onItsWay
	}
	args := a.session.Outside(g.pid, orphanText, g.texts, lost.Seconds(), begun.Seconds(), g.prefix, a.conn.PgConn().PID())
	_, err := a.conn.Exec(out, endOrphan, args...)
	if out.Err() != nil && ctx.Err() == nil {
		g.tried = true // otherwise each attempt waits as long
	}
	return err
}

// orphanLockTimeout is how long a statement of an attempt waits for a lock that an
// orphaned session may hold.
const orphanLockTimeout = time.Second

// firstAfter returns BEGIN and its settings for an attempt that may meet an orphaned
// session.
func (c *config) firstAfter(g *orphan) []wire.Statement {
	own := func(s setting) bool { return strings.EqualFold(s.name, "lock_timeout") }
	if g == nil || g.cockroach || c.timeouts.Lock > 0 || slices.ContainsFunc(c.settings, own) {
		return c.first
	}
	s := Timeouts{Lock: orphanLockTimeout}.settings()[0]
	return append(append([]wire.Statement(nil), c.first...), s.statement())
}
