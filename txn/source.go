package txn

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DB is what transactions are begun on: anything that [pgx.BeginFunc] takes.
// What it can do is seen by its methods.
//
//   - A pool (*pgxpool.Pool, or a struct that embeds one): has Acquire.
//   - *pgxpool.Conn and *pgx.Conn: one connection, which must be idle.
//   - A [Runner]: the same with options.
//   - A pgx.Tx or *[Tx]: the call joins that transaction.
//   - Anything else, such as a wrapper or a mock of your own: needs a method
//     BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error), because without
//     it the isolation level cannot be set.
type DB interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

type beginner interface {
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

type pool interface {
	Acquire(ctx context.Context) (*pgxpool.Conn, error)
}

// resolve looks through runners for the database and the options that hold.
func resolve(db DB, opts []Option) (DB, config, error) {
	r, ok := db.(*Runner)
	if !ok || r == nil {
		cfg, err := defaults().with(opts)
		return db, cfg, errors.Join(checkDB(db), err)
	}
	if r.db == nil && r.err == nil {
		return nil, config{}, errNilDB
	}
	cfg, err := r.config.with(opts)
	return r.db, cfg, errors.Join(r.err, err)
}

var errNilDB = errors.New("txn: the database is nil")

func checkDB(db DB) error {
	if v := reflect.ValueOf(db); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return errNilDB
	}
	switch db.(type) {
	case pgx.Tx, pool, beginner:
		return nil
	}
	return noBeginTx(db)
}

func noBeginTx(db DB) error {
	return fmt.Errorf("txn: %T has no method BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error), so the isolation level cannot be set", db)
}

// session is a transaction that was begun, on a connection that is given back.
type session struct {
	tx      pgx.Tx
	conn    *pgx.Conn // nil where the transaction comes from a wrapper
	release func()
}

func begin(ctx context.Context, db DB, o pgx.TxOptions) (*session, error) {
	switch db := db.(type) {
	case pool:
		c, err := db.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		s, err := beginOn(ctx, c.Conn(), o)
		if err != nil {
			c.Release()
			return nil, err
		}
		s.release = c.Release
		return s, nil
	case *pgxpool.Conn:
		return beginOn(ctx, db.Conn(), o)
	case *pgx.Conn:
		return beginOn(ctx, db, o)
	case beginner:
		tx, err := db.BeginTx(ctx, o)
		if err != nil {
			return nil, err
		}
		return &session{tx: tx, release: func() {}}, nil
	}
	return nil, noBeginTx(db)
}

func beginOn(ctx context.Context, conn *pgx.Conn, o pgx.TxOptions) (*session, error) {
	switch pg := conn.PgConn(); {
	case pg.IsClosed(): // BEGIN says so
	case pg.IsBusy():
		return nil, errors.New("the connection is busy: close the rows or the batch that are open on it")
	case pg.TxStatus() != statusIdle:
		return nil, fmt.Errorf("the connection is in a transaction already (status %q): give the call that transaction instead", pg.TxStatus())
	}
	tx, err := conn.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	return &session{tx: tx, conn: conn, release: func() {}}, nil
}

// How long the end of a transaction may take once its context is done: until
// the answer to a COMMIT that is on the wire, and until a ROLLBACK is done.
const (
	commitGrace   = 2 * time.Second
	rollbackGrace = 2 * time.Second
)

// commit sends COMMIT and returns its tag.
func (s *session) commit(ctx context.Context) (string, error) {
	ctx, stop := outlast(ctx, commitGrace)
	defer stop()
	if s.conn == nil {
		err := s.tx.Commit(ctx)
		if err == nil {
			return "COMMIT", nil
		}
		return "", err
	}
	tag, err := s.conn.Exec(ctx, "commit")
	return tag.String(), err
}

// rollback undoes the transaction whatever has become of ctx. A connection on
// which that fails is closed, and the server undoes it.
func (s *session) rollback(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackGrace)
	defer cancel()
	if s.conn == nil {
		_ = s.tx.Rollback(ctx) // nothing is left to be done about it
		return
	}
	pg := s.conn.PgConn()
	if pg.TxStatus() != statusIdle {
		_, _ = s.conn.Exec(ctx, "rollback") // what it did is seen below
	}
	if pg.IsBusy() || pg.TxStatus() != statusIdle {
		_ = s.conn.Close(ctx)
	}
}

// give gives the connection back. Large objects that are still open are closed
// first: pgx ends them with its own Rollback only.
func (s *session) give(ctx context.Context, largeObjects bool) {
	if largeObjects && s.conn != nil && !s.conn.IsClosed() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackGrace)
		defer cancel()
		_ = s.tx.Rollback(ctx) // outside a transaction PostgreSQL only warns
	}
	s.release()
}

// outlast is ctx without its end, until grace after that end. stop must be
// called, and waits for what outlast started.
func outlast(ctx context.Context, grace time.Duration) (_ context.Context, stop func()) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(ended)
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-out.Done():
		}
	})
	return out, func() {
		cancel()
		if !unwatch() {
			<-ended
		}
	}
}
