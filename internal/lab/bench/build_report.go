package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// buildReport has the results of the suite build on one engine.
type buildReport struct {
	rounds       int
	delay        time.Duration
	builds, gets []buildFigures
}

func (r *buildReport) write(w io.Writer) error {
	for _, part := range []struct {
		title, base string
		figures     []buildFigures
	}{
		{"a select with three conditions", baseRowkeeper, r.builds},
		{fmt.Sprintf("reading one row by its key, round trip %v", r.delay), basePgx, r.gets},
	} {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(t, "%s\tmedian\t/ %s\tbytes\tallocs\t\n", part.title, part.base)
		for _, f := range part.figures {
			fmt.Fprintf(t, "%s\t%v\t%.2f\t%.0f\t%.1f\t\n", f.name, f.median, ratioTo(part.figures, f, part.base), f.bytes, f.allocs)
		}
		fmt.Fprintln(t)
		if err := t.Flush(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "Times are medians of %d rounds of %d (%d when reading), taking turns.\n\n", r.rounds, buildsInRound, getsInRound)
	return err
}

func ratioTo(all []buildFigures, f buildFigures, base string) float64 {
	for _, other := range all {
		if other.key == base {
			return float64(f.median) / float64(other.median)
		}
	}
	return 0
}

// MarshalJSON writes times in nanoseconds, with the ratios of the tables.
func (r *buildReport) MarshalJSON() ([]byte, error) {
	type line struct {
		Name   string        `json:"name"`
		Median time.Duration `json:"median_ns"`
		Ratio  float64       `json:"ratio"`
		Bytes  float64       `json:"bytes"`
		Allocs float64       `json:"allocs"`
	}
	lines := func(figures []buildFigures, base string) (ls []line) {
		for _, f := range figures {
			ls = append(ls, line{f.name, f.median, ratioTo(figures, f, base), f.bytes, f.allocs})
		}
		return ls
	}
	return json.Marshal(struct {
		Builds []line `json:"builds"` // ratios against Rowkeeper
		Gets   []line `json:"gets"`   // ratios against pgx
	}{lines(r.builds, baseRowkeeper), lines(r.gets, basePgx)})
}
