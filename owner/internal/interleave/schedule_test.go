package interleave

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/owner"
)

// session is one of the two connections, with the steps that it takes one by one.
type session struct {
	conn  *pgx.Conn
	tx    pgx.Tx
	steps []step
	done  chan error // of the step under way
	busy  bool
}

type step struct {
	name string
	run  func(ctx context.Context, s *session) error
}

// schedule is two sessions on one place, whose steps are taken in a random order.
// Events are numbered when they are observed, so an event that is observed to end
// before another begins has ended before it.
type schedule struct {
	p     place
	level pgx.TxIsoLevel
	rand  *rand.Rand
	watch *pgx.Conn // tells who waits; nil if the server does not
	log   []string
	clock int

	giver, other      session
	change            string // transfer, move or unshare
	gone              int    // when the giver's commit was seen, 0 if it was not
	first             int    // when the other's first statement was sent, by which it has a snapshot
	answered          int    // when the one that counts was seen to be done
	effect, committed bool   // whether it had one, and that was committed
	s                 statement
}

func (c *schedule) note(format string, args ...any) int {
	c.clock++
	c.log = append(c.log, fmt.Sprintf("%2d ", c.clock)+fmt.Sprintf(format, args...))
	return c.clock
}

// draw chooses the steps of the sessions.
func (c *schedule) draw() {
	c.change = []string{"transfer", "transfer", "move", "unshare"}[c.rand.IntN(4)]
	all := append(append(append([]statement{}, locks...), writes...), reads...)
	if c.change == "unshare" {
		all = shared
	}
	for c.s = all[c.rand.IntN(len(all))]; c.change == "move" && !c.s.note; {
		c.s = all[c.rand.IntN(len(all))]
	}
	c.giver.steps = append(c.giver.steps, begin(c.level))
	for range c.rand.IntN(3) {
		c.giver.steps = append(c.giver.steps, c.touch())
	}
	back := c.rand.IntN(8) == 0
	c.giver.steps = append(c.giver.steps, c.give(), step{"commit", func(ctx context.Context, s *session) error {
		if back {
			return errors.Join(errBack, s.tx.Rollback(ctx))
		}
		return s.tx.Commit(ctx)
	}})
	c.other.steps = append(c.other.steps, begin(c.level))
	if c.rand.IntN(2) == 0 {
		c.other.steps = append(c.other.steps, step{"looks at nothing", func(ctx context.Context, s *session) error {
			_, err := s.tx.Exec(ctx, "select id from docs where id = -1")
			return err
		}})
	}
	c.other.steps = append(c.other.steps,
		step{c.s.name, func(ctx context.Context, s *session) (err error) {
			c.effect, err = c.s.send(ctx, s.tx, c.p)
			return err
		}},
		step{"commit", func(ctx context.Context, s *session) error { return s.tx.Commit(ctx) }})
}

var errBack = errors.New("it rolled back instead")

func begin(level pgx.TxIsoLevel) step {
	return step{"begin", func(ctx context.Context, s *session) (err error) {
		s.tx, err = s.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: level})
		return err
	}}
}

// touch is a write of the giver before the rows are given away.
func (c *schedule) touch() step {
	p := c.p
	switch c.rand.IntN(5) {
	case 0:
		return step{"inserts and deletes the same note", func(ctx context.Context, s *session) error {
			if err := Notes.In(mine).Insert(ctx, s.tx, &Note{ID: p.id + 1, Doc: p.id, Pos: 2, Text: "early"}); err != nil {
				return err
			}
			return Notes.In(mine).Delete(p.id+1).Exec(ctx, s.tx)
		}}
	case 1:
		return step{"updates the mark", func(ctx context.Context, s *session) error {
			return Marks.In(mine).Update(p.id).Set(MarkText.Set("early")).Exec(ctx, s.tx)
		}}
	case 2:
		return step{"updates the link", func(ctx context.Context, s *session) error {
			return Links.In(mine).Update(p.id).Set(LinkText.Set("early")).Exec(ctx, s.tx)
		}}
	case 3:
		return step{"updates the note by hand", func(ctx context.Context, s *session) error {
			_, err := s.tx.Exec(ctx, "update notes set text = 'early' where id = $1", p.id)
			return err
		}}
	}
	return step{"updates the note", func(ctx context.Context, s *session) error {
		return Notes.In(mine).Update(p.id).Set(NoteText.Set("early")).Exec(ctx, s.tx)
	}}
}

// give ends the other's right to the rows.
func (c *schedule) give() step {
	p := c.p
	return step{c.change, func(ctx context.Context, s *session) (err error) {
		switch c.change {
		case "transfer":
			return Docs.In(mine).TransferTo(ctx, s.tx, his, p.id)
		case "move":
			_, err = s.tx.Exec(ctx, "update notes set doc_id = $2 where id = $1", p.id, p.id+1)
		case "unshare":
			err = Shares.In(hers).Delete(p.id).Exec(ctx, s.tx)
		}
		return err
	}}
}

// run takes the steps. It skips a session that waits for the other's lock.
func (c *schedule) run(ctx context.Context) error {
	for {
		var ready []*session
		for _, s := range []*session{&c.giver, &c.other} {
			if !s.busy && len(s.steps) > 0 {
				ready = append(ready, s)
			}
		}
		switch {
		case len(ready) > 0:
			s := ready[c.rand.IntN(len(ready))]
			c.send(ctx, s)
			if err := c.wait(ctx, s); err != nil {
				return err
			}
		case c.giver.busy || c.other.busy:
			if err := c.wait(ctx, nil); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

func (c *schedule) name(s *session) string {
	if s == &c.giver {
		return "giver"
	}
	return "other"
}

func (c *schedule) send(ctx context.Context, s *session) {
	st := s.steps[0]
	at := c.note("%s: %s", c.name(s), st.name)
	// CockroachDB assigns the time stamp of a transaction when it begins.
	if s == &c.other && (st.name != "begin" || c.watch == nil) && c.first == 0 {
		c.first = at
	}
	s.busy = true
	go func() { s.done <- st.run(ctx, s) }()
}

// wait returns when the session has taken its step or is observed to wait for a lock.
// Without a session, it returns when either has.
func (c *schedule) wait(ctx context.Context, s *session) error {
	limit := time.After(60 * time.Second)
	for {
		look := time.After(2 * time.Millisecond)
		if c.watch == nil { // then time must tell
			look = time.After(40 * time.Millisecond)
		}
		if s == nil {
			look = nil
		}
		select {
		case err := <-c.giver.done:
			c.ended(ctx, &c.giver, err)
			if s == nil || s == &c.giver {
				return nil
			}
		case err := <-c.other.done:
			c.ended(ctx, &c.other, err)
			if s == nil || s == &c.other {
				return nil
			}
		case <-limit:
			return errors.New("a step does not end")
		case <-look:
			waits, err := c.waits(ctx, s)
			if err != nil || waits {
				return err
			}
		}
	}
}

func (c *schedule) waits(ctx context.Context, s *session) (waits bool, err error) {
	if c.watch == nil {
		return true, nil
	}
	err = c.watch.QueryRow(ctx, "select cardinality(pg_blocking_pids($1)) > 0", int32(s.conn.PgConn().PID())).Scan(&waits)
	if waits {
		c.note("%s waits", c.name(s))
	}
	return waits, err
}

// ended is called for each step. A transaction that failed is rolled back; a missing
// row is a regular answer.
func (c *schedule) ended(ctx context.Context, s *session, err error) {
	st := s.steps[0]
	s.busy, s.steps = false, s.steps[1:]
	at := c.note("%s: %s is done: %v", c.name(s), st.name, err)
	var pe *pgconn.PgError
	switch {
	case errors.As(err, &pe) || errors.Is(err, owner.ErrReference) || s == &c.giver && err != nil:
		s.steps = nil
		_ = s.tx.Rollback(ctx)
	case s == &c.giver && st.name == "commit":
		c.gone = at
	case s == &c.other && st.name == "commit":
		c.committed = err == nil
	}
	if s == &c.other && st.name == c.s.name {
		c.answered = at
		if err != nil {
			c.effect = false
		}
	}
}
