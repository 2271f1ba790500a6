package txn

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// maxReplaced is how many connections in a row are given up before anything of the
// transaction is sent on one. Each time the pool has one fewer of those whose
// server has ended.
const maxReplaced = 64

// reconnectTime is how long a call goes on asking for a connection that is refused,
// on a pool that has had one: a server that starts again or a failover may be over
// in a moment. It is short because a database that is down for longer would
// otherwise have every caller wait for that, and pile up.
const reconnectTime = 2 * time.Second

// acquire takes a connection from the pool. One that turns out to be closed is
// replaced.
func (a *attempt) acquire(ctx context.Context, db pool) error {
	r := a.refusals(ctx)
	for tries := 0; ; tries++ {
		c, err := db.Acquire(ctx)
		if err != nil {
			if r.again(err) {
				continue
			}
			return err
		}
		a.release = c.Release // also if a tracer panics
		if err = a.try(ctx, c); err == nil {
			a.connected()
			return nil
		}
		closed := c.Conn().IsClosed()
		a.conn, a.link, a.release = nil, nil, nil
		a.call.running.conn.Store(nil)
		c.Release()
		switch {
		case ctx.Err() != nil:
			return contextError(ctx)
		case !closed || tries == maxReplaced:
			return err
		}
	}
}

// try uses a connection of the pool's if it is fit for that. After a loss it is
// asked first: the server, or what is in between, may have ended them all, and the
// next loss is to be one in a transaction.
func (a *attempt) try(ctx context.Context, c *pgxpool.Conn) error {
	conn := c.Conn()
	if err := idle(conn); err != nil {
		return err
	}
	if hungUp(conn.PgConn().Conn()) {
		giveUp(conn)
		return pgconn.ErrConnClosed
	}
	a.use(conn)
	var err error
	switch g := a.call.ghost; {
	case g != nil && !g.tried && !a.cockroach && !g.cockroach:
		err = a.exorcise(ctx)
	case g != nil || a.call.losses+a.call.stale > 0:
		err = conn.Ping(ctx)
	}
	if conn.IsClosed() {
		return errors.Join(pgconn.ErrConnClosed, err)
	}
	return nil
}

// beginTx is BeginTx of something that has only that. What fails before its
// transaction is there is tried again, as nothing of it was sent.
func (a *attempt) beginTx(ctx context.Context, db beginner) (pgx.Tx, error) {
	r := a.refusals(ctx)
	for tries := 0; ; tries++ {
		tx, err := db.BeginTx(ctx, a.call.txOptions())
		if err == nil || ctx.Err() != nil || !r.again(err) && (!lostAtBegin(err) || tries == maxReplaced) {
			return tx, err
		}
	}
}

// lostAtBegin reports whether a connection was there, and is not any more.
func lostAtBegin(err error) bool {
	if errors.As(err, new(*pgconn.ConnectError)) {
		return false
	}
	if pe := serverError(err); pe != nil {
		return fatal(pe)
	}
	return errors.Is(err, pgconn.ErrConnClosed) || brokenOff(err)
}

func brokenOff(err error) bool {
	return errors.As(err, new(*net.OpError)) || errors.Is(err, io.ErrUnexpectedEOF)
}

// refusals are those of one wait for a connection.
type refusals struct {
	at    *attempt
	ctx   context.Context
	count int
	since time.Time
}

func (a *attempt) refusals(ctx context.Context) *refusals { return &refusals{at: a, ctx: ctx} }

// again waits a little, and reports whether to ask for a connection again.
func (r *refusals) again(err error) bool {
	c := r.at.call
	if r.ctx.Err() != nil || !unreachable(err) || !hadConnections(c.db) {
		return false
	}
	r.count++
	if r.count == 1 {
		r.since = time.Now()
	}
	delay := c.backoff.delay(r.count)
	if time.Since(r.since)+delay > reconnectTime {
		return false
	}
	return c.pause(r.ctx, r.at.number, delay, err) == nil
}

// hadConnections reports whether the pool was ever connected: one that was not is
// more likely to be configured wrong.
func hadConnections(db DB) bool {
	pool := poolOf(db)
	return pool != nil && pool.Stat().NewConnsCount() > 0
}

// unreachable reports whether no server was there to connect to that is fit, which may
// be so for a moment only: nobody listens, one is starting or ending, or each is a
// standby where a primary is asked for.
func unreachable(err error) bool {
	if !errors.As(err, new(*pgconn.ConnectError)) || contextEnded(err) {
		return false
	}
	if pe := serverError(err); pe != nil {
		switch pe.Code {
		case "57P01", "57P02", "57P03": // shuts down, crashes, starts
			return true
		}
		return false
	}
	return brokenOff(err) || errors.Is(err, pgconn.ErrReadOnlyConnection) || errors.Is(err, pgconn.ErrStandbyConnection)
}
