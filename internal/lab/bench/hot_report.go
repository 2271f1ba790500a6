package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"
)

// hotReport has the results of the suite hot on one engine.
type hotReport struct {
	time, deadline time.Duration
	pool           int
	figures        []hotFigures
}

// hotFigures are the figures of one case.
type hotFigures struct {
	hotCase
	all, cold, hot hotPartFigures
	committed      int     // calls, from the warm-up to the end
	failed         int     // likewise
	slowest        float64 // what the slowest worker committed, as a share of the mean
	lost           int     // committed, and not in the balances
	extra          int     // in the balances, and said not to be committed
	errors         map[string]int
	seconds        []int // of a convoy, committed in each second after the conflict
}

type hotPartFigures struct {
	rate, failRate float64 // calls a second
	attempts       float64 // for each commit
	p50, p99, max  time.Duration
}

// sort puts lines into the order of the tables.
func (r *hotReport) sort() {
	byScenario := func(f hotFigures) int {
		return slices.IndexFunc(scenarios, func(s scenario) bool { return s.key == f.scenario })
	}
	byCandidate := func(f hotFigures) int {
		return slices.IndexFunc(candidates, func(c candidate) bool { return c.key == f.candidate })
	}
	slices.SortFunc(r.figures, func(a, b hotFigures) int {
		return cmp.Or(
			cmp.Compare(byScenario(a), byScenario(b)), cmp.Compare(a.delay, b.delay), cmp.Compare(a.processes, b.processes),
			cmp.Compare(a.workers, b.workers), cmp.Compare(byCandidate(a), byCandidate(b)),
		)
	})
}

// find returns the figures of another case.
func (r *hotReport) find(hc hotCase) (f hotFigures) {
	for _, f := range r.figures {
		if f.hotCase == hc {
			return f
		}
	}
	return f
}

// hotRatios compare a case with others. They are 0 if there is nothing to compare
// with.
type hotRatios struct {
	Alone     float64 `json:"vs_one_worker"` // rate, against one worker alone of the same candidate
	Peer      float64 `json:"vs_best_peer"`  // rate, against the best that is not ours
	P99       float64 `json:"p99_vs_fair"`   // against workers / rate, what each would wait if all took turns
	ColdP50   float64 `json:"cold_p50_vs_no_hot_row"`
	BestPeer  string  `json:"best_peer"`
	Cockroach float64 `json:"vs_cockroach_go"`
}

func (r *hotReport) ratios(f hotFigures) (x hotRatios) {
	alone, cold := f.hotCase, f.hotCase
	alone.processes, alone.workers = 1, 1
	x.Alone = ratio(f.all.rate, r.find(alone).all.rate)
	x.P99 = f.all.p99.Seconds() * f.all.rate / float64(f.workers)
	best := 0.0
	for _, c := range candidates {
		peer := f.hotCase
		peer.candidate = c.key
		rate := r.find(peer).all.rate
		if !c.ours && rate > best {
			best, x.BestPeer = rate, c.key
		}
		if c.key == baseCockroachGo {
			x.Cockroach = ratio(f.all.rate, rate)
		}
	}
	x.Peer = ratio(f.all.rate, best)
	if f.hasBoth() {
		cold.scenario = withoutHotRow
		x.ColdP50 = ratio(float64(f.cold.p50), float64(r.find(cold).cold.p50))
	}
	return x
}

// hasBoth reports whether the case has cold and hot transactions.
func (f hotFigures) hasBoth() bool { return f.cold.max > 0 && f.hot.max > 0 }

func (r *hotReport) write(w io.Writer) error {
	type block struct {
		scenario  string
		delay     time.Duration
		processes int
	}
	of := func(f hotFigures) block { return block{f.scenario, f.delay, f.processes} }
	for i := 0; i < len(r.figures); {
		now := of(r.figures[i])
		end := i
		for end < len(r.figures) && of(r.figures[end]) == now {
			end++
		}
		sc, err := scenarioNamed(now.scenario)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: %s; round trip %v, %s\n", sc.key, sc.name, now.delay, plural(now.processes, "process", "es"))
		if err := r.writeBlock(w, r.figures[i:end]); err != nil {
			return err
		}
		i = end
	}
	for _, f := range r.figures {
		fmt.Fprint(w, r.convoyText(f))
		if f.lost > 0 {
			fmt.Fprintf(w, "LOST: %s: %d that it called committed are not in the balances.\n", f.hotCase, f.lost)
		}
		if f.extra > 0 {
			fmt.Fprintf(w, "WRONG: %s: %d that it called failed are in the balances.\n", f.hotCase, f.extra)
		}
		if f.failed > 0 {
			fmt.Fprintf(w, "Failed: %s:", f.hotCase)
			for _, class := range slices.Sorted(maps.Keys(f.errors)) {
				fmt.Fprintf(w, " %d with %s;", f.errors[class], class)
			}
			fmt.Fprintln(w)
		}
	}
	_, err := fmt.Fprintf(w, `
%v for each line (%v at least for a convoy), on a fresh table; %d connections for each process; a deadline of %v for each call. All SERIALIZABLE.
/s is committed a second. "/ alone" is that against one worker alone of the same candidate, "/ cr-go" against
cockroach-go, "/ peer" against the best that is not Rowkeeper. "failed" counts the calls of the whole line, warm-up
included. "tries" are attempts for each commit. Times are those of calls in ms, failed ones included; "p99 / fair" is
p99 against workers / rate. "slowest" is what the slowest worker committed as a share of the mean worker's.
`, r.time, convoyTime, r.pool, r.deadline)
	return err
}

func (r *hotReport) writeBlock(w io.Writer, figures []hotFigures) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	both := slices.ContainsFunc(figures, hotFigures.hasBoth)
	fmt.Fprint(t, "workers\tcandidate\t/s\t/ alone\t/ cr-go\t/ peer\tfailed/s\tfailed\ttries\tp50\tp99\tmax\tp99 / fair\tslowest\t")
	if both {
		fmt.Fprint(t, "hot /s\tp50\tp99\tcold /s\tp50\tp99\tp50 / no hot row\t")
	}
	fmt.Fprintln(t)
	for _, f := range figures {
		c, err := candidateNamed(f.candidate)
		if err != nil {
			return err
		}
		x := r.ratios(f)
		fmt.Fprintf(t, "%d\t%s\t%.0f\t%s\t%s\t%s\t%.1f\t%d\t%s\t%s\t%s\t%s\t%s\t%.2f\t", f.workers, c.name, f.all.rate,
			orDash(x.Alone), orDash(x.Cockroach), orDash(x.Peer), f.all.failRate, f.failed, orDash(f.all.attempts),
			ms(f.all.p50), ms(f.all.p99), ms(f.all.max), orDash(x.P99), f.slowest)
		if both {
			for _, p := range []hotPartFigures{f.hot, f.cold} {
				fmt.Fprintf(t, "%.0f\t%s\t%s\t", p.rate, ms(p.p50), ms(p.p99))
			}
			fmt.Fprintf(t, "%s\t", orDash(x.ColdP50))
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintln(t)
	return t.Flush()
}

func orDash(ratio float64) string {
	if ratio == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", ratio)
}

func ms(d time.Duration) string {
	if d >= 100*time.Millisecond {
		return fmt.Sprintf("%.0f", milliseconds(d))
	}
	return fmt.Sprintf("%.3g", milliseconds(d))
}

// MarshalJSON writes times in milliseconds.
func (r *hotReport) MarshalJSON() ([]byte, error) {
	type part struct {
		Rate     float64 `json:"committed_per_s"`
		FailRate float64 `json:"failed_per_s"`
		Attempts float64 `json:"attempts_per_commit"`
		P50      float64 `json:"p50_ms"`
		P99      float64 `json:"p99_ms"`
		Max      float64 `json:"max_ms"`
	}
	type row struct {
		Scenario  string  `json:"scenario"`
		Candidate string  `json:"candidate"`
		RoundTrip float64 `json:"round_trip_ms"`
		Processes int     `json:"processes"`
		Workers   int     `json:"workers"`
		part
		Committed int            `json:"committed"`
		Failed    int            `json:"failed"`
		Errors    map[string]int `json:"errors,omitempty"`
		Slowest   float64        `json:"slowest_worker_vs_mean"`
		hotRatios
		Hot     *part     `json:"hot,omitempty"`
		Cold    *part     `json:"cold,omitempty"`
		Seconds []int     `json:"committed_in_each_second,omitempty"`
		Shares  []float64 `json:"each_second_vs_without_lines,omitempty"`
		Lost    int       `json:"lost"`
		Extra   int       `json:"committed_though_failed"`
	}
	partOf := func(f hotPartFigures) part {
		return part{f.rate, f.failRate, f.attempts, milliseconds(f.p50), milliseconds(f.p99), milliseconds(f.max)}
	}
	var rows []row
	for _, f := range r.figures {
		line := row{
			Scenario: f.scenario, Candidate: f.candidate, RoundTrip: milliseconds(f.delay),
			Processes: f.processes, Workers: f.workers,
			part: partOf(f.all), Committed: f.committed, Failed: f.failed, Errors: f.errors, Slowest: f.slowest, hotRatios: r.ratios(f),
			Seconds: f.seconds, Shares: r.convoyShares(f), Lost: f.lost, Extra: f.extra,
		}
		if f.hasBoth() {
			hot, cold := partOf(f.hot), partOf(f.cold)
			line.Hot, line.Cold = &hot, &cold
		}
		rows = append(rows, line)
	}
	return json.Marshal(struct {
		Seconds  float64 `json:"seconds"`
		Deadline float64 `json:"deadline_s"`
		Pool     int     `json:"connections_per_process"`
		Rows     []row   `json:"rows"`
	}{r.time.Seconds(), r.deadline.Seconds(), r.pool, rows})
}
