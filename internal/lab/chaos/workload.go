package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/lab/chaos/history"
	"github.com/rowkeeper/rowkeeper/txn"
)

// work is one kind of call.
type work struct {
	name   string
	weight int // in percent
	do     func(w *worker, ctx context.Context, c *call) (receipt, error)
}

var works = []work{
	{"deposit", 22, (*worker).deposit},
	{"transfer", 20, (*worker).transfer},
	{"batch", 12, (*worker).batch},
	{"lists", 20, (*worker).lists},
	{"reader", 6, (*worker).reader},
	{"savepoint", 4, (*worker).savepoint},
	{"refused", 4, (*worker).refused},
	{"once", 12, nil}, // several calls, in once.go
}

// Works lists the kinds of calls.
func Works() []string {
	var names []string
	for _, k := range works {
		names = append(names, k.name)
	}
	return names
}

// drawWork draws one of those in only, or of all.
func drawWork(rng *rand.Rand, only []string) work {
	for {
		n := rng.IntN(100)
		for _, k := range works {
			if n -= k.weight; n < 0 {
				if len(only) == 0 || slices.Contains(only, k.name) {
					return k
				}
				break
			}
		}
	}
}

// effect returns the row that shows that a call has happened.
func (c *call) effect(r receipt) []any {
	return []any{c.id, r.Attempt, r.Nonce, c.debit, c.credit, c.amount}
}

// deposit needs no answer: everything is sent with COMMIT.
func (w *worker) deposit(ctx context.Context, c *call) (receipt, error) {
	c.credit, c.amount = w.account(), 1+w.rng.Int64N(20)
	return txn.RunInTx(ctx, w.db, depositing(c), txn.Name("deposit"))
}

func depositing(c *call) func(context.Context, *txn.Tx) (receipt, error) {
	return func(ctx context.Context, tx *txn.Tx) (receipt, error) {
		at := c.run(tx.Attempt())
		tx.OnCommit(func(context.Context) { c.hook() })
		tx.Queue(addBalance, c.credit, c.amount)
		tx.Queue(insertEffect, c.effect(at.receipt)...)
		return at.receipt, nil
	}
}

var errTooPoor = errors.New("not enough money")

// transfer reads, computes and writes, so that a lost update shows.
func (w *worker) transfer(ctx context.Context, c *call) (receipt, error) {
	c.debit, c.amount = w.account(), 1+w.rng.Int64N(80)
	for c.credit = w.account(); c.credit == c.debit; c.credit = w.account() {
	}
	first, queues := w.rng.IntN(2) == 0, w.rng.IntN(2) == 0
	return txn.RunInTx(ctx, w.db, func(ctx context.Context, tx *txn.Tx) (receipt, error) {
		at := c.run(tx.Attempt())
		tx.OnCommit(func(context.Context) { c.hook() })
		write := func(sql string, args ...any) error {
			if queues {
				tx.Queue(sql, args...)
				return nil
			}
			_, err := tx.Exec(ctx, sql, args...)
			return err
		}
		if first {
			if err := write(insertEffect, c.effect(at.receipt)...); err != nil {
				return receipt{}, err
			}
		}
		var debit, credit int64
		if err := tx.QueryRow(ctx, readBalance, c.debit).Scan(&debit); err != nil {
			return receipt{}, err
		}
		if debit < c.amount {
			return receipt{}, errTooPoor
		}
		if err := tx.QueryRow(ctx, readBalance, c.credit).Scan(&credit); err != nil {
			return receipt{}, err
		}
		if err := write(writeBalance, c.debit, debit-c.amount); err != nil {
			return receipt{}, err
		}
		if err := write(writeBalance, c.credit, credit+c.amount); err != nil {
			return receipt{}, err
		}
		if !first {
			if err := write(insertEffect, c.effect(at.receipt)...); err != nil {
				return receipt{}, err
			}
		}
		return at.receipt, nil
	}, txn.Name("transfer"))
}

// batch makes a deposit in one round trip. It does not know its attempts.
func (w *worker) batch(ctx context.Context, c *call) (receipt, error) {
	c.credit, c.amount = w.account(), 1+w.rng.Int64N(20)
	at := c.run(0)
	b := new(pgx.Batch)
	b.Queue(addBalance, c.credit, c.amount)
	b.Queue(insertEffect, c.effect(at.receipt)...)
	b.Queue(readBalance, c.credit).QueryRow(func(row pgx.Row) error {
		c.hook() // which runs after the commit, like OnCommit
		var balance int64
		return row.Scan(&balance)
	})
	if err := txn.Batch(ctx, w.db, b, txn.Name("batch")); told(err) != committed {
		return receipt{}, err
	} else {
		return at.receipt, err
	}
}

// hotLists is the number of lists in use at a time, and fullList the number of
// appends after which another list replaces one.
const (
	hotLists = 40
	fullList = 30
)

// lists reads and appends, for the check of the history.
func (w *worker) lists(ctx context.Context, c *call) (receipt, error) {
	type step struct {
		key  int64
		read bool
	}
	var plan []step
	for range 1 + w.rng.IntN(4) {
		plan = append(plan, step{w.list(), w.rng.IntN(2) == 0})
	}
	queues := w.rng.IntN(2) == 0
	return txn.RunInTx(ctx, w.db, func(ctx context.Context, tx *txn.Tx) (receipt, error) {
		at := c.run(tx.Attempt())
		tx.OnCommit(func(context.Context) { c.hook() })
		for _, s := range plan {
			if s.read {
				saw, err := read(ctx, tx, s.key)
				if err != nil {
					return receipt{}, err
				}
				at.ops = append(at.ops, history.Op{Key: s.key, Read: true, Saw: saw})
				continue
			}
			v := history.Value(w.run.values.Add(1))
			at.ops = append(at.ops, history.Op{Key: s.key, Append: v})
			if queues {
				tx.Queue(appendList, s.key, int64(v))
			} else if _, err := tx.Exec(ctx, appendList, s.key, int64(v)); err != nil {
				return receipt{}, err
			}
		}
		_, err := tx.Exec(ctx, insertEffect, c.effect(at.receipt)...)
		return at.receipt, err
	}, txn.Name("lists"))
}

func read(ctx context.Context, tx pgx.Tx, key int64) ([]history.Value, error) {
	var elems []int64
	if err := tx.QueryRow(ctx, readList, key).Scan(&elems); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, err
	}
	saw := make([]history.Value, len(elems))
	for i, e := range elems {
		saw[i] = history.Value(e)
	}
	return saw, nil
}

// reader reads some lists, and has no effect.
func (w *worker) reader(ctx context.Context, c *call) (receipt, error) {
	c.readOnly = true
	keys := []int64{w.list(), w.list(), w.list()}
	return txn.RunInTx(ctx, w.db, func(ctx context.Context, tx *txn.Tx) (receipt, error) {
		at := c.run(tx.Attempt())
		tx.OnCommit(func(context.Context) { c.hook() })
		for _, key := range keys {
			saw, err := read(ctx, tx, key)
			if err != nil {
				return receipt{}, err
			}
			at.ops = append(at.ops, history.Op{Key: key, Read: true, Saw: saw})
		}
		return at.receipt, nil
	}, txn.Name("reader"), txn.ReadOnly())
}

// savepoint undoes a part of itself and continues.
func (w *worker) savepoint(ctx context.Context, c *call) (receipt, error) {
	c.credit, c.amount = w.account(), 1+w.rng.Int64N(20)
	return txn.RunInTx(ctx, w.db, func(ctx context.Context, tx *txn.Tx) (receipt, error) {
		at := c.run(tx.Attempt())
		tx.OnCommit(func(context.Context) { c.hook() })
		err := txn.Run(ctx, tx, func(ctx context.Context, inner *txn.Tx) error {
			inner.OnCommit(func(context.Context) { c.hook() })
			if _, err := inner.Exec(ctx, insertEffect, c.effect(receipt{at.Attempt, nonce(c.id, -1)})...); err != nil {
				return err
			}
			return errTooPoor
		})
		if !errors.Is(err, errTooPoor) {
			return receipt{}, fmt.Errorf("the savepoint: %w", err)
		}
		if _, err := tx.Exec(ctx, addBalance, c.credit, c.amount); err != nil {
			return receipt{}, err
		}
		_, err = tx.Exec(ctx, insertEffect, c.effect(at.receipt)...)
		return at.receipt, err
	}, txn.Name("savepoint"))
}

var errRefused = errors.New("refused by the function")

// refused writes and then fails, by an error or because its context ends.
func (w *worker) refused(ctx context.Context, c *call) (receipt, error) {
	c.credit, c.amount = w.account(), 1+w.rng.Int64N(20)
	hidden := w.rng.IntN(3) == 0
	return txn.RunInTx(ctx, w.db, func(ctx context.Context, tx *txn.Tx) (receipt, error) {
		at := c.run(tx.Attempt())
		tx.OnCommit(func(context.Context) { c.hook() })
		if _, err := tx.Exec(ctx, insertEffect, c.effect(at.receipt)...); err != nil {
			return receipt{}, err
		}
		if hidden { // the error of a statement, which the function swallows
			_, _ = tx.Exec(ctx, "select 1 / (balance - balance) from accounts where id = $1", c.credit)
			return at.receipt, nil
		}
		_, err := tx.Exec(ctx, addBalance, c.credit, c.amount)
		return receipt{}, errors.Join(errRefused, err)
	}, txn.Name("refused"))
}

func (w *worker) account() int64 { return 1 + w.rng.Int64N(accounts) }

// list returns one of the lists in use, which change as they get long.
func (w *worker) list() int64 {
	return w.run.values.Load()/fullList + w.rng.Int64N(hotLists)
}

// values are unique, and show how far the lists are.
type values = atomic.Int64
