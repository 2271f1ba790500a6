package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
)

// applicationName is that of the sessions that the faults hit.
const applicationName = "rowkeeper-chaos"

// Statements that hit sessions, by engine.
var (
	terminate = map[devdb.Engine]string{
		devdb.PostgreSQL:  "select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity where application_name = $1 order by random() limit 1) s",
		devdb.CockroachDB: "cancel sessions if exists (select session_id from [show sessions] where application_name = $1 order by random() limit 1)",
	}
	cancelStatement = map[devdb.Engine]string{
		devdb.PostgreSQL:  "select count(pg_cancel_backend(pid)) from (select pid from pg_stat_activity where application_name = $1 and state = 'active' order by random() limit 1) s",
		devdb.CockroachDB: "cancel queries if exists (select query_id from [show queries] where application_name = $1 order by random() limit 1)",
	}
	countSessions = map[devdb.Engine]string{
		devdb.PostgreSQL:  "select count(*) from pg_stat_activity where application_name = $1",
		devdb.CockroachDB: "select count(*) from [show sessions] where application_name = $1",
	}
)

// injector applies the due faults to the server. It has a connection of its own,
// which it opens again whenever it is lost.
type injector struct {
	run  *run
	rng  *rand.Rand
	conn *pgx.Conn
}

func (s *injector) work(ctx context.Context) error {
	defer func() {
		if s.conn != nil {
			s.conn.Close(context.WithoutCancel(ctx))
		}
	}()
	f := s.run.faults
	for ctx.Err() == nil {
		switch {
		case f.count[killed].Load() < s.run.due(killed):
			if err := s.kill(ctx); err != nil {
				return err
			}
		case f.count[terminated].Load() < s.run.due(terminated):
			s.do(ctx, terminated, terminate[s.run.srv.Engine])
		case f.count[canceled].Load() < s.run.due(canceled):
			s.do(ctx, canceled, cancelStatement[s.run.srv.Engine])
		}
		pause(ctx, 2*time.Millisecond)
	}
	return nil
}

func (s *injector) kill(ctx context.Context) error {
	pause(ctx, time.Duration(s.rng.Int64N(int64(50*time.Millisecond))))
	if err := s.run.srv.Kill(); err != nil {
		return fmt.Errorf("kill the server: %w", err)
	}
	s.run.faults.add(fault{kind: killed})
	pause(ctx, time.Duration(s.rng.Int64N(int64(300*time.Millisecond))))
	if err := s.run.srv.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the server again: %w", err)
	}
	return nil
}

// do hits one session, if there is one.
func (s *injector) do(ctx context.Context, k faultKind, sql string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if s.conn == nil || s.conn.IsClosed() {
		conn, err := pgx.Connect(ctx, s.run.srv.URL)
		if err != nil {
			return // the next time perhaps
		}
		s.conn = conn
	}
	var hit int64
	var err error
	if s.run.srv.Engine == devdb.PostgreSQL {
		err = s.conn.QueryRow(ctx, sql, applicationName).Scan(&hit)
	} else {
		tag, execErr := s.conn.Exec(ctx, sql, applicationName)
		hit, err = tag.RowsAffected(), execErr
	}
	if err == nil && hit > 0 {
		s.run.faults.add(fault{kind: k})
	} else if err != nil {
		s.run.note("injector: " + reasonFor(err))
	}
}

// awaitNoSession waits until the server has no session of the clients left.
func (r *run) awaitNoSession(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var n int64
		err := r.query(ctx, func(conn *pgx.Conn) error {
			return conn.QueryRow(ctx, countSessions[r.srv.Engine], applicationName).Scan(&n)
		})
		if err == nil && n == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%d sessions of the clients are left: %w", n, context.Cause(ctx))
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// query connects to the server without any proxy.
func (r *run) query(ctx context.Context, f func(conn *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, r.srv.URL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return f(conn)
}
