package chaos

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/lab/chaos/history"
)

// deposited returns a correct call: it ran twice, was told that the second attempt
// was committed, and that attempt has left its effect.
func deposited(id int64) (*call, row) {
	first, second := receipt{1, nonce(id, 1)}, receipt{2, nonce(id, 2)}
	c := &call{
		id: id, kind: "deposit", credit: 7, amount: 5, told: committed, got: second, hooks: 1, after: 1,
		attempts: []attempt{{receipt: first}, {receipt: second}},
	}
	return c, row{id, second, 0, 7, 5}
}

// judged returns a judge of one call, and of rows.
func judged(c *call, rows ...row) *judge {
	r := newRun(Plan{Transactions: 1}, &devdb.Durable{}, new(bytes.Buffer))
	r.log.calls = []*call{c}
	j := &judge{run: r, calls: map[int64]*call{c.id: c}, rows: map[int64][]row{}, balances: map[int64]int64{}, lists: map[int64][]history.Value{}}
	for _, row := range rows {
		j.rows[row.call] = append(j.rows[row.call], row)
	}
	return j
}

func TestEachWrongClaimIsFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(c *call, r row) []row
		want   string // "": nothing is wrong
	}{
		{"as it should be", func(c *call, r row) []row { return []row{r} }, ""},
		{"rolled back", func(c *call, r row) []row {
			c.told, c.got, c.hooks, c.after = rolledBack, receipt{}, 0, 0
			return nil
		}, ""},
		{"unknown and there", func(c *call, r row) []row {
			c.told, c.got, c.hooks, c.after = unknown, receipt{}, 0, 0
			return []row{r}
		}, ""},
		{"unknown and not there", func(c *call, r row) []row {
			c.told, c.got, c.hooks, c.after = unknown, receipt{}, 0, 0
			return nil
		}, ""},
		{"lost", func(c *call, r row) []row { return nil }, "told committed, and it has no effect"},
		{"twice", func(c *call, r row) []row { return []row{r, r} }, "it has its effect 2 times"},
		{"of another attempt", func(c *call, r row) []row {
			r.receipt = c.attempts[0].receipt
			return []row{r}
		}, "with the result of one attempt, and it has the effect of another"},
		{"of another amount", func(c *call, r row) []row {
			r.amount++
			return []row{r}
		}, "its effect is not what it wrote"},
		{"rolled back and there", func(c *call, r row) []row {
			c.told, c.got, c.hooks, c.after = rolledBack, receipt{}, 0, 0
			return []row{r}
		}, "told rolled back, and it has an effect"},
		{"unknown and there twice", func(c *call, r row) []row {
			c.told, c.got, c.hooks, c.after = unknown, receipt{}, 0, 0
			return []row{r, r}
		}, "it has its effect 2 times"},
		{"unknown, and there from before", func(c *call, r row) []row {
			c.told, c.got, c.hooks, c.after = unknown, receipt{}, 0, 0
			r.receipt = c.attempts[0].receipt
			return []row{r}
		}, "told unknown after attempt 2, and it has the effect of attempt 1"},
		{"OnCommit did not run", func(c *call, r row) []row {
			c.hooks, c.after = 0, 0
			return []row{r}
		}, "OnCommit ran 0 times"},
		{"OnCommit ran twice", func(c *call, r row) []row {
			c.hooks, c.after = 2, 2
			return []row{r}
		}, "OnCommit ran 2 times"},
		{"OnCommit ran too late", func(c *call, r row) []row {
			c.after = 0
			return []row{r}
		}, "OnCommit ran after the call had returned"},
		{"OnCommit ran for nothing", func(c *call, r row) []row {
			c.told, c.got = rolledBack, receipt{}
			return nil
		}, "told rolled back, and OnCommit ran"},
		{"a result without a commit", func(c *call, r row) []row {
			c.told, c.hooks, c.after = rolledBack, 0, 0
			return nil
		}, "a result was returned with an error"},
		{"of nobody", func(c *call, r row) []row {
			stray := r
			stray.call = 99
			return []row{r, stray}
		}, "an effect of a call that nobody made"},
		{"a reader that wrote", func(c *call, r row) []row {
			c.readOnly = true
			return []row{r}
		}, "although it only reads"},
	} {
		t.Run(c.name, func(t *testing.T) {
			call, r := deposited(3)
			j := judged(call, c.change(call, r)...)
			j.checkEffects()
			if c.want == "" {
				require.Empty(t, j.findings)
				return
			}
			require.NotEmpty(t, j.findings)
			require.Contains(t, j.findings[0].what, c.want)
		})
	}
}

func TestEachWrongClaimOfOnceIsFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(q *request, a, b *call, r row) []row
		want   string
	}{
		{"as it should be: made by one call and answered to both", func(q *request, a, b *call, r row) []row { return []row{r} }, ""},
		{"not done", func(q *request, a, b *call, r row) []row { return nil }, "told committed, and it has no effect"},
		{"done by both", func(q *request, a, b *call, r row) []row {
			other := r
			other.call = b.id
			return []row{r, other}
		}, "done 2 times"},
		{"another result", func(q *request, a, b *call, r row) []row {
			b.got = receipt{1, "another"}
			return []row{r}
		}, "call 4 was given another result"},
		{"never, and done", func(q *request, a, b *call, r row) []row {
			q.final = rolledBack
			return []row{r}
		}, "never done, as clients were told, and it was"},
		{"unknown for ever", func(q *request, a, b *call, r row) []row {
			q.final = unknown
			return nil
		}, "still unknown"},
		{"OnCommit in both", func(q *request, a, b *call, r row) []row {
			b.hooks = 1
			return []row{r}
		}, "OnCommit ran 2 times"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, r := deposited(3)
			b, _ := deposited(4)
			b.got, b.hooks, b.after = a.got, 0, 0
			q := &request{key: "k", calls: []*call{a, b}, final: committed}
			j := judged(a, c.change(q, a, b, r)...)
			j.run.requests = []*request{q}
			j.checkRequests()
			if c.want == "" {
				require.Empty(t, j.findings)
				return
			}
			require.Len(t, j.findings, 1)
			require.Contains(t, j.findings[0].what, c.want)
			require.Equal(t, q.calls, j.findings[0].calls)
		})
	}
}

func TestMoneyThatIsNotThereIsFound(t *testing.T) {
	judgeOf := func(change func(balances map[int64]int64)) []finding {
		c, r := deposited(3)
		j := judged(c, r)
		for id := range int64(accounts) {
			j.balances[id+1] = openingBalance
		}
		j.balances[7] += 5
		change(j.balances)
		j.checkMoney()
		return j.findings
	}
	require.Empty(t, judgeOf(func(map[int64]int64) {}))
	lost := judgeOf(func(b map[int64]int64) { b[7] -= 5 })
	require.Len(t, lost, 1)
	require.Contains(t, lost[0].what, "account 7 has 100, and by its effects it should have 105")
	require.Len(t, lost[0].calls, 1, "only the calls that touched it")
	require.NotEmpty(t, judgeOf(func(b map[int64]int64) { delete(b, 8) }))
	require.NotEmpty(t, judgeOf(func(b map[int64]int64) { b[accounts+1] = 0 }))

	c, r := deposited(3)
	c.amount, r.amount = -openingBalance-1, -openingBalance-1
	j := judged(c, r)
	for id := range int64(accounts) {
		j.balances[id+1] = openingBalance
	}
	j.balances[7] = -1
	j.checkMoney()
	require.Len(t, j.findings, 1)
	require.Contains(t, j.findings[0].what, "account 7 has -1")
}

// Effects of an attempt that was not the last must not exist, whatever the outcome
// of the call.
func TestHistoryKnowsAttempts(t *testing.T) {
	c, r := deposited(3)
	c.attempts[0].ops = []history.Op{{Key: 1, Append: 10}}
	c.attempts[1].ops = []history.Op{{Key: 1, Append: 11}}
	check := func(told claim, list ...history.Value) []finding {
		j := judged(c, r)
		c.told = told
		j.lists[1] = list
		j.checkHistory()
		return j.findings
	}
	require.Empty(t, check(committed, 11))
	require.NotEmpty(t, check(committed, 10, 11))
	require.NotEmpty(t, check(committed))
	require.Empty(t, check(unknown, 11), "its effect is there")
	require.NotEmpty(t, check(unknown), "its effect is there, and its append is not")
	require.NotEmpty(t, check(rolledBack, 11))
}

func TestFindingShowsWhatBelongsToIt(t *testing.T) {
	c, r := deposited(3)
	c.begun, c.took = time.Second, time.Second
	j := judged(c, r, r)
	j.run.faults.all = []fault{
		{at: 1100 * time.Millisecond, kind: zombie, crew: "wide", conn: 4, call: 3, detail: "mine"},
		{at: 1100 * time.Millisecond, kind: zombie, crew: "wide", conn: 5, call: 8, detail: "another's"},
		{at: 1500 * time.Millisecond, kind: killed, detail: "in the meantime"},
		{at: 2500 * time.Millisecond, kind: killed, detail: "later"},
	}
	j.checkEffects()
	require.Len(t, j.findings, 1)
	text := j.show(j.findings[0])
	for _, part := range []string{"call 3: deposit", "told: committed, attempt 2", c.got.Nonce, "mine", "in the meantime", "in the database"} {
		require.Contains(t, text, part)
	}
	require.NotContains(t, text, "another's")
	require.NotContains(t, text, "later")
}

func TestCallInMessage(t *testing.T) {
	require.EqualValues(t, 42, callIn([]byte("B\x00 insert "+nonce(42, 1)+"\x00")))
	require.Zero(t, callIn([]byte("select 1")))
	require.Zero(t, callIn([]byte("chaos:x")))
}

func TestFaultsAreSpreadOverTheTransactions(t *testing.T) {
	p := Plan{Transactions: 1000}
	require.EqualValues(t, 0, p.due(4, 124))
	require.EqualValues(t, 1, p.due(4, 125))
	require.EqualValues(t, 3, p.due(4, 874))
	require.EqualValues(t, 4, p.due(4, 875))
	require.EqualValues(t, 4, p.due(4, 5000))
}

func TestFlat(t *testing.T) {
	step := 2 * time.Second
	samples := func(f func(i int) sample) (all []sample) {
		for i := range 50 {
			s := f(i)
			s.at = time.Duration(i) * step
			all = append(all, s)
		}
		return all
	}
	level := func(i int) sample {
		return sample{heap: float64(20<<20 + i%7<<18), goroutines: float64(200 + i%9), connections: float64(19 - i%3)}
	}
	require.NoError(t, flat(samples(level), new(bytes.Buffer)))
	for name, grow := range map[string]func(s *sample, i int){
		"bytes in use": func(s *sample, i int) { s.heap += float64(i << 19) },
		"goroutines":   func(s *sample, i int) { s.goroutines += float64(3 * i) },
		"connections":  func(s *sample, i int) { s.connections += float64(i) / 2 },
	} {
		err := flat(samples(func(i int) sample {
			s := level(i)
			grow(&s, i)
			return s
		}), new(bytes.Buffer))
		require.ErrorContains(t, err, name+" grow")
	}
	require.ErrorContains(t, flat(nil, new(bytes.Buffer)), "no more than 0 looks")

	step = 200 * time.Millisecond
	rising := func(by int) []sample {
		return samples(func(i int) sample {
			s := level(i)
			s.goroutines += float64(by * i)
			return s
		})
	}
	require.NoError(t, flat(rising(3), new(bytes.Buffer)), "too short to tell")
	require.ErrorContains(t, flat(rising(20), new(bytes.Buffer)), "goroutines grow")
}

func TestWriteKeepsWhatIsAround(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doc.md")
	text := "before\n<!-- postgresql: written by make chaos -->\nwhat was there\n<!-- end of postgresql -->\nafter\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	r := &Report{Engine: devdb.PostgreSQL, Version: "15", Seed: 77, Committed: 1234}
	for range 2 {
		require.NoError(t, Write(path, []*Report{r}))
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(got), "before\n"))
		require.True(t, strings.HasSuffix(string(got), "<!-- end of postgresql -->\nafter\n"))
		require.NotContains(t, string(got), "what was there")
		require.Contains(t, string(got), "| told committed | 1234 |")
		require.Contains(t, string(got), "| seed | 77 |")
		require.Equal(t, 1, strings.Count(string(got), "| seed |"))
	}
	require.ErrorContains(t, Write(path, []*Report{{Engine: devdb.CockroachDB}}), "no place for a table")
	require.Len(t, r.Missing(), int(faultKinds))
}
