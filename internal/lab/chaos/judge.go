package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/lab/chaos/history"
)

// finding is a wrong claim, with the calls that show it.
type finding struct {
	what  string
	calls []*call
}

// row is an effect.
type row struct {
	call          int64
	receipt       receipt
	debit, credit int64
	amount        int64
}

func (r row) String() string {
	return fmt.Sprintf("call %d, attempt %d, nonce %s, %d from %d to %d", r.call, r.receipt.Attempt, r.receipt.Nonce, r.amount, r.debit, r.credit)
}

// judge compares the claims that clients were told with the database.
type judge struct {
	run      *run
	calls    map[int64]*call
	rows     map[int64][]row // by call
	balances map[int64]int64
	lists    map[int64][]history.Value
	findings []finding

	unknownCommitted int // of the calls whose outcome is unknown
	histories        int // transactions in the history
}

func (r *run) judge(ctx context.Context) (*judge, error) {
	if err := r.awaitNoSession(ctx); err != nil {
		return nil, err
	}
	if err := r.settleRequests(ctx); err != nil {
		return nil, err
	}
	j := &judge{run: r, calls: map[int64]*call{}, rows: map[int64][]row{}, balances: map[int64]int64{}, lists: map[int64][]history.Value{}}
	for _, c := range r.log.calls {
		j.calls[c.id] = c
	}
	if err := r.query(ctx, func(conn *pgx.Conn) error { return j.read(ctx, conn) }); err != nil {
		return nil, fmt.Errorf("read what the database has: %w", err)
	}
	j.checkEffects()
	j.checkRequests()
	j.checkMoney()
	j.checkHistory()
	return j, nil
}

// settleRequests asks once more, without any faults, for requests with a key whose
// outcome is still unknown.
func (r *run) settleRequests(ctx context.Context) error {
	for _, q := range r.requests {
		if q.final != unknown {
			continue
		}
		c := r.newCall("once", "no proxy")
		c.key, c.credit, c.amount = q.key, q.calls[0].credit, q.calls[0].amount
		err := r.query(ctx, func(conn *pgx.Conn) error {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
			defer cancel()
			var err error
			c.begun = time.Since(r.faults.begun)
			c.got, err = c.deposits(ctx, conn, false)
			c.after, c.told = c.hooks, told(err)
			if err != nil {
				c.err = err.Error()
			}
			return nil
		})
		if err != nil {
			return err
		}
		q.calls = append(q.calls, c)
		r.log.add(c)
		q.final = c.told
	}
	return nil
}

func (j *judge) report(calls []*call, format string, args ...any) {
	j.findings = append(j.findings, finding{fmt.Sprintf(format, args...), calls})
}

func (j *judge) read(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, "select call, attempt, nonce, debit, credit, amount from effects")
	if err != nil {
		return err
	}
	var e row
	_, err = pgx.ForEachRow(rows, []any{&e.call, &e.receipt.Attempt, &e.receipt.Nonce, &e.debit, &e.credit, &e.amount}, func() error {
		j.rows[e.call] = append(j.rows[e.call], e)
		return nil
	})
	if err != nil {
		return err
	}
	if rows, err = conn.Query(ctx, "select id, balance from accounts"); err != nil {
		return err
	}
	var id, balance int64
	if _, err = pgx.ForEachRow(rows, []any{&id, &balance}, func() error {
		j.balances[id] = balance
		return nil
	}); err != nil {
		return err
	}
	if rows, err = conn.Query(ctx, "select key, elems from lists"); err != nil {
		return err
	}
	var key int64
	var elems []int64
	_, err = pgx.ForEachRow(rows, []any{&key, &elems}, func() error {
		list := make([]history.Value, len(elems))
		for i, v := range elems {
			list[i] = history.Value(v)
		}
		j.lists[key] = list
		return nil
	})
	return err
}

// checkEffects checks each call by itself.
func (j *judge) checkEffects() {
	for id, rows := range j.rows {
		if j.calls[id] == nil {
			j.report(nil, "an effect of a call that nobody made: %v", rows[0])
		}
	}
	for _, c := range j.run.log.calls {
		rows := j.rows[c.id]
		switch {
		case c.told != committed && c.got != (receipt{}):
			j.report([]*call{c}, "a result was returned with an error that is no commit")
		case c.hooks != c.after:
			j.report([]*call{c}, "OnCommit ran after the call had returned")
		case c.told == rolledBack && len(rows) > 0:
			j.report([]*call{c}, "told rolled back, and it has an effect: %v", rows)
		case c.told != committed && c.hooks > 0 && c.kind != "batch":
			j.report([]*call{c}, "told %v, and OnCommit ran", c.told)
		case c.readOnly && (c.told == unknown || len(rows) > 0):
			j.report([]*call{c}, "told %v although it only reads, with effects %v", c.told, rows)
		case len(rows) > 1:
			j.report([]*call{c}, "it has its effect %d times: %v", len(rows), rows)
		case len(rows) == 1 && !c.wrote(rows[0]):
			j.report([]*call{c}, "its effect is not what it wrote: %v", rows)
		case c.key != "" || c.readOnly:
		case c.told == committed:
			if len(rows) == 0 {
				j.report([]*call{c}, "told committed, and it has no effect")
			} else if rows[0].receipt != c.got {
				j.report([]*call{c}, "told committed with the result of one attempt, and it has the effect of another: %v", rows[0])
			} else if c.hooks != 1 {
				j.report([]*call{c}, "told committed, and OnCommit ran %d times", c.hooks)
			}
		case c.told == unknown && len(rows) == 1:
			j.unknownCommitted++
			if last := c.attempts[len(c.attempts)-1]; rows[0].receipt != last.receipt {
				j.report([]*call{c}, "told unknown after attempt %d, and it has the effect of attempt %d", last.Attempt, rows[0].receipt.Attempt)
			}
		}
	}
}

func (c *call) wrote(r row) bool {
	return r.debit == c.debit && r.credit == c.credit && r.amount == c.amount &&
		slices.ContainsFunc(c.attempts, func(a attempt) bool { return a.receipt == r.receipt })
}

// checkRequests checks all calls with one key together.
func (j *judge) checkRequests() {
	for _, q := range j.run.requests {
		var rows []row
		hooks := 0
		for _, c := range q.calls {
			rows = append(rows, j.rows[c.id]...)
			hooks += c.hooks
		}
		switch {
		case q.final == unknown:
			j.report(q.calls, "key %s: still unknown although the server is back", q.key)
		case len(rows) > 1:
			j.report(q.calls, "key %s: done %d times: %v", q.key, len(rows), rows)
		case q.final == rolledBack && len(rows) > 0:
			j.report(q.calls, "key %s: never done, as clients were told, and it was: %v", q.key, rows)
		case hooks > 1:
			j.report(q.calls, "key %s: OnCommit ran %d times", q.key, hooks)
		case q.final == committed && len(rows) == 0:
			j.report(q.calls, "key %s: told committed, and it has no effect", q.key)
		case q.final == committed:
			for _, c := range q.calls {
				if c.told == committed && c.got != rows[0].receipt {
					j.report(q.calls, "key %s: call %d was given another result than that of the effect: %v", q.key, c.id, rows[0])
					break
				}
			}
		}
	}
}

// checkMoney adds up the effects of each account.
func (j *judge) checkMoney() {
	want := map[int64]int64{}
	touched := map[int64][]*call{}
	for id := range int64(accounts) {
		want[id+1] = openingBalance
	}
	for id, rows := range j.rows {
		for _, r := range rows {
			want[r.debit] -= r.amount
			want[r.credit] += r.amount
			for _, account := range []int64{r.debit, r.credit} {
				touched[account] = append(touched[account], j.calls[id])
			}
		}
	}
	delete(want, 0) // it stands for outside
	for id, balance := range want {
		if got, ok := j.balances[id]; !ok || got != balance {
			j.report(inOrder(touched[id]), "account %d has %d, and by its effects it should have %d", id, got, balance)
		} else if balance < 0 {
			j.report(inOrder(touched[id]), "account %d has %d", id, balance)
		}
	}
	if len(want) != len(j.balances) {
		j.report(nil, "there are %d accounts instead of %d", len(j.balances), len(want))
	}
}

func inOrder(calls []*call) []*call {
	calls = slices.DeleteFunc(slices.Clone(calls), func(c *call) bool { return c == nil })
	slices.SortFunc(calls, func(a, b *call) int { return int(a.begun - b.begun) })
	return slices.Compact(calls)
}

// checkHistory looks for a serial order in which all that the clients read and
// appended could have happened.
func (j *judge) checkHistory() {
	var txns []history.Txn
	owner := map[string]*call{}
	for _, c := range j.run.log.calls {
		for _, a := range c.attempts {
			if len(a.ops) == 0 {
				continue
			}
			t := history.Txn{ID: fmt.Sprintf("%d.%d", c.id, a.Attempt), Status: history.Aborted, Ops: a.ops}
			switch {
			case c.told == committed && a.receipt == c.got:
				t.Status = history.Committed
			case c.told == unknown && slices.ContainsFunc(j.rows[c.id], func(r row) bool { return r.receipt == a.receipt }):
				t.Status = history.Committed
			}
			owner[t.ID] = c
			txns = append(txns, t)
		}
	}
	j.histories = len(txns)
	for _, f := range history.Check(txns, j.lists) {
		var calls []*call
		for _, t := range f.Txns {
			calls = append(calls, owner[t.ID])
		}
		j.report(inOrder(calls), "history: %s: %s", f.Anomaly, f.Detail)
	}
}

// show prints a finding with everything known about its calls, and nothing else.
func (j *judge) show(f finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "WRONG: %s\n", f.what)
	const most = 12
	for i, c := range f.calls {
		if i == most {
			fmt.Fprintf(&b, "  and %d calls more\n", len(f.calls)-most)
			break
		}
		fmt.Fprintf(&b, "  %v\n", c)
		for _, x := range j.run.faults.of(c) {
			fmt.Fprintf(&b, "    fault: %v\n", x)
		}
		for _, r := range j.rows[c.id] {
			fmt.Fprintf(&b, "    in the database: %v\n", r)
		}
	}
	return b.String()
}
