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

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// maxReplaced is how many dead connections in a row are replaced before the transaction
// has sent anything. Each one is removed from the pool, which may hold many after its
// server has ended.
const maxReplaced = 64

// reconnectTime is how long a call keeps asking for a connection that is refused, on a
// pool that has had one: a restart or a failover may take only a moment. It is short
// because with a database that is down for longer every caller would wait that long,
// and pile up.
const reconnectTime = 2 * time.Second

// acquire takes a connection from the pool, and replaces one that turns out to be
// closed.
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
		a.pooled = c // released even if a tracer panics
		if err = a.try(ctx, c); err == nil {
			a.connected()
			return nil
		}
		closed := c.Conn().IsClosed()
		a.conn, a.session, a.pooled = nil, nil, nil
		a.call.running.conn.Store(nil)
		c.Release()
		switch {
		case ctx.Err() != nil:
			return outcome.ContextError(ctx)
		case !closed || tries == maxReplaced:
			return err
		}
	}
}

// try uses a connection of the pool if it is fit. After a loss the connection is
// checked first: the server, or a proxy, may have ended all of them, and the next
// counted loss should be one in a transaction.
func (a *attempt) try(ctx context.Context, c *pgxpool.Conn) error {
	conn := c.Conn()
	if err := idle(conn); err != nil {
		return err
	}
	a.use(conn)
	if a.session.HungUp() {
		wire.GiveUp(conn)
		return pgconn.ErrConnClosed
	}
	var err error
	switch g := a.call.orphan; {
	case g != nil && !g.tried && !a.cockroach && !g.cockroach:
		err = a.terminateOrphan(ctx)
	case g != nil || a.call.losses+a.call.stale > 0:
		err = conn.Ping(ctx)
	}
	if conn.IsClosed() {
		return errors.Join(pgconn.ErrConnClosed, err)
	}
	return nil
}

// beginTx begins on a database that only has BeginTx. A failure before the transaction
// exists is retried, as nothing of it was sent.
func (a *attempt) beginTx(ctx context.Context, db beginner) (pgx.Tx, error) {
	r := a.refusals(ctx)
	for tries := 0; ; tries++ {
		tx, err := db.BeginTx(ctx, a.call.txOptions())
		if err == nil || ctx.Err() != nil || !r.again(err) && (!lostAtBegin(err) || tries == maxReplaced) {
			return tx, err
		}
	}
}

// lostAtBegin reports whether a connection existed and has been lost.
func lostAtBegin(err error) bool {
	if errors.As(err, new(*pgconn.ConnectError)) {
		return false
	}
	if pe := pgerr.ServerError(err); pe != nil {
		return pgerr.Fatal(pe)
	}
	return errors.Is(err, pgconn.ErrConnClosed) || brokenOff(err)
}

func brokenOff(err error) bool {
	return errors.As(err, new(*net.OpError)) || errors.Is(err, io.ErrUnexpectedEOF)
}

// refusals counts the refused connections of one wait.
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

// hadConnections reports whether the pool was ever connected. A pool that never was is
// more likely to be misconfigured.
func hadConnections(db DB) bool {
	pool := poolOf(db)
	return pool != nil && pool.Stat().NewConnsCount() > 0
}

// unreachable reports whether there was no suitable server to connect to, which may be
// temporary: nobody listens, a server is starting or stopping, or each is a standby and
// a primary is required.
func unreachable(err error) bool {
	if !errors.As(err, new(*pgconn.ConnectError)) || outcome.ContextEnded(err) {
		return false
	}
	if pe := pgerr.ServerError(err); pe != nil {
		switch pe.Code {
		case "57P01", "57P02", "57P03": // shutting down, crashed, starting
			return true
		}
		return false
	}
	return brokenOff(err) || errors.Is(err, pgconn.ErrReadOnlyConnection) || errors.Is(err, pgconn.ErrStandbyConnection)
}
