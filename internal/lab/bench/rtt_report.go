package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// rttReport has the results of the suite rtt on one engine.
type rttReport struct {
	runs    int
	delays  delays
	figures []rttFigures
}

// ratio divides the median by that of another library, at the same delay and with
// the same body.
func (r *rttReport) ratio(f rttFigures, delay int, base string) float64 {
	for _, other := range r.figures {
		if other.library == base && other.body == f.body {
			return float64(f.medians[delay]) / float64(other.medians[delay])
		}
	}
	return 0
}

func (r *rttReport) write(w io.Writer) error {
	for b := range body(bodies) {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(t, "%d: %s\tround trips\t", b.statements(), b)
		for _, delay := range r.delays {
			fmt.Fprintf(t, "   at %v\t/ cr-go\t/ pgx\t", delay)
		}
		fmt.Fprintln(t, "   bytes\tallocs\t")
		for _, f := range r.figures {
			if f.body != b {
				continue
			}
			fmt.Fprintf(t, "%s\t%.3g\t", libraryNamed(f.library).name, f.roundTrips)
			for i, median := range f.medians {
				fmt.Fprintf(t, "%.2f ms\t%.2f\t%.2f\t", milliseconds(median), r.ratio(f, i, baseCockroachGo), r.ratio(f, i, basePgx))
			}
			fmt.Fprintf(t, "%.0f\t%.0f\t\n", f.bytes, f.allocs)
		}
		fmt.Fprintln(t)
		if err := t.Flush(); err != nil {
			return err
		}
	}
	for _, l := range leftOut() {
		fmt.Fprintf(w, "Left out: %s with %s: %s.\n", libraryNamed(l.Library).name, l.Body, l.Reason)
	}
	_, err := fmt.Fprintf(w, `
Times are medians of %d (%d at 0s) transactions, the libraries taking turns; at 0s without a proxy between. The
columns after each are ratios against cockroach-go and pgx.BeginTxFunc. All SERIALIZABLE, on one warm connection.
`, r.runs, 10*r.runs)
	return err
}

func libraryNamed(key string) library {
	for _, l := range libraries {
		if l.key == key {
			return l
		}
	}
	return library{name: key}
}

// omission is a body that a library cannot run.
type omission struct {
	Library string `json:"library"`
	Body    string `json:"body"`
	Reason  string `json:"reason"`
}

func leftOut() (os []omission) {
	for _, l := range libraries {
		for b := range body(bodies) {
			if reason, ok := l.lacks[b]; ok {
				os = append(os, omission{l.key, b.String(), reason})
			}
		}
	}
	return os
}

// MarshalJSON writes times in milliseconds.
func (r *rttReport) MarshalJSON() ([]byte, error) {
	type latency struct {
		RoundTrip     float64 `json:"round_trip_ms"`
		Median        float64 `json:"median_ms"`
		VsCockroachGo float64 `json:"vs_cockroach_go"`
		VsPgx         float64 `json:"vs_pgx"`
	}
	type row struct {
		Library    string    `json:"library"`
		Body       string    `json:"body"`
		Statements int       `json:"statements"`
		RoundTrips float64   `json:"round_trips"`
		Latencies  []latency `json:"latencies"`
		Bytes      float64   `json:"bytes"`
		Allocs     float64   `json:"allocs"`
	}
	var rows []row
	for _, f := range r.figures {
		var latencies []latency
		for i, median := range f.medians {
			latencies = append(latencies, latency{
				milliseconds(r.delays[i]), milliseconds(median), r.ratio(f, i, baseCockroachGo), r.ratio(f, i, basePgx),
			})
		}
		rows = append(rows, row{f.library, f.body.String(), f.body.statements(), f.roundTrips, latencies, f.bytes, f.allocs})
	}
	return json.Marshal(struct {
		Runs    int        `json:"runs"`
		Rows    []row      `json:"rows"`
		LeftOut []omission `json:"left_out"`
	}{r.runs, rows, leftOut()})
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
