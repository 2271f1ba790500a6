package chaos

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// request is a request that several calls with one key make.
type request struct {
	key   string
	calls []*call
	final claim // unknown: it was given up
}

// onceTries bounds the calls that a client makes until it knows the outcome.
const onceTries = 60

// exactlyOnce makes a deposit by calls with a key, until one of them is told that
// it was made, or the client gives up. Sometimes two clients ask at the same time.
func (w *worker) exactlyOnce(stop context.Context) (claim, error) {
	r := &request{key: fmt.Sprintf("%d", w.run.keys.Add(1))}
	account, amount := w.account(), 1+w.rng.Int64N(20)
	var mu sync.Mutex
	ask := func(w *worker) (claim, error) {
		ambiguous := false
		for try := range onceTries {
			c := w.run.newCall("once", w.crew)
			c.key, c.credit, c.amount = r.key, account, amount
			err := w.make(c, (*worker).once)
			mu.Lock()
			r.calls = append(r.calls, c)
			mu.Unlock()
			switch {
			case c.told == committed:
				return committed, nil
			case c.told == unknown:
				ambiguous = true
			case !ambiguous && try > 2: // as a client who gives up
				return rolledBack, err
			}
			pause(context.WithoutCancel(stop), time.Duration(w.rng.Int64N(int64(20*time.Millisecond*time.Duration(try+1)))))
		}
		if ambiguous {
			return unknown, nil
		}
		return rolledBack, nil
	}
	other := rolledBack
	var wg sync.WaitGroup
	if w.rng.IntN(4) == 0 {
		twin := *w.run.workers[w.rng.IntN(len(w.run.workers))] // maybe of another pool, as in another process
		twin.rng = w.run.rand()
		wg.Go(func() { other, _ = ask(&twin) })
	}
	final, err := ask(w)
	wg.Wait()
	switch {
	case final == committed || other == committed:
		r.final = committed
		w.run.effects.Add(1)
	case final == rolledBack && other == rolledBack:
		r.final = rolledBack
	}
	w.run.addRequest(r)
	return r.final, err
}

// once makes one of the calls.
func (w *worker) once(ctx context.Context, c *call) (receipt, error) {
	return c.deposits(ctx, w.db, w.rng.IntN(2) == 0)
}

func (c *call) deposits(ctx context.Context, db txn.DB, answers bool) (receipt, error) {
	body := depositing(c)
	return txn.RunInTx(ctx, db, func(ctx context.Context, tx *txn.Tx) (receipt, error) {
		if answers {
			var balance int64
			if err := tx.QueryRow(ctx, readBalance, c.credit).Scan(&balance); err != nil {
				return receipt{}, err
			}
		}
		return body(ctx, tx)
	}, txn.Name("once"), once.Key("chaos", c.key, map[string]int64{"account": c.credit, "amount": c.amount}))
}
