package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// A convoy is the possible result of one conflict between transactions that only
// begin in the same way: all read one row of settings first, one of them loses to
// another transaction, and from then on none ever conflicts again. If a library
// makes all of them wait for each other, long transactions run one at a time for as
// long as the load lasts.
const convoy = "convoy"

// convoyTime is the minimum time of a convoy, long enough to show its
// development.
const convoyTime = 8 * time.Second

// convoys returns the scenarios that the name stands for.
func convoys() (all []scenario) {
	for _, lasts := range []time.Duration{50 * time.Millisecond, 300 * time.Millisecond, time.Second} {
		for _, deadline := range []time.Duration{0, 2 * time.Second} {
			s := scenario{
				key:      fmt.Sprintf("%s-%v", convoy, lasts),
				name:     fmt.Sprintf("one conflict, then %v on a row of the worker's own after one settings row that all read", lasts),
				convoy:   lasts,
				deadline: deadline,
				next: func(worker int) (work, bool) {
					return after(hotSetting, 1, lasting(lasts, add(ownRow(worker)))), false
				},
			}
			if deadline > 0 {
				s.key += fmt.Sprintf("-within-%v", deadline)
				s.name += fmt.Sprintf(", with deadlines of %v", deadline)
			}
			all = append(all, s)
		}
	}
	return all
}

// lasting takes some time before the rest, like a function that calls another
// service.
func lasting(about time.Duration, do work) work {
	return func(ctx context.Context, tx hotTx) error {
		select {
		case <-time.After(about*3/4 + rand.N(about/2)):
		case <-ctx.Done():
			return ctx.Err()
		}
		return do(ctx, tx)
	}
}

// collide makes one transaction that begins like those of the convoy lose once. A
// peer may lose for good: on PostgreSQL cockroach-go goes back to a savepoint,
// which keeps the snapshot that lost.
func collide(ctx context.Context, pool *pgxpool.Pool, c candidate) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	runs := 0
	err := c.run(ctx, pool, after(hotSetting, 1, func(ctx context.Context, tx hotTx) error {
		runs++
		value, err := read(ctx, tx, hotSetting, 2)
		if err == nil && runs == 1 {
			_, err = pool.Exec(ctx, hotTouch, 2, value+1)
		}
		if err != nil {
			return err
		}
		return tx.write(ctx, hotTouch, 2, value+1)
	}))
	switch {
	case !c.ours && isConflict(err):
		return nil
	case err == nil && runs < 2:
		return errors.New("the conflict was to be one")
	}
	return err
}

// convoyShares returns the rates of a case in each second after the conflict, as
// shares of the rate of the same candidate without queues in one.
func (r *hotReport) convoyShares(f hotFigures) (shares []float64) {
	free := f.hotCase
	free.candidate = withoutQueues
	base := r.find(free)
	mean := 0.0
	for _, n := range base.seconds {
		mean += float64(n) / float64(len(base.seconds))
	}
	for _, n := range f.seconds {
		shares = append(shares, ratio(float64(n), mean))
	}
	return shares
}

// convoyText returns the text below the tables.
func (r *hotReport) convoyText(f hotFigures) string {
	shares := r.convoyShares(f)
	if len(shares) == 0 {
		return ""
	}
	text := fmt.Sprintf("Each second after the conflict, as a share of that without queues: %s:", f.hotCase)
	for _, share := range shares {
		text += fmt.Sprintf(" %.2f", share)
	}
	return text + fmt.Sprintf("; at least %.2f\n", slices.Min(shares))
}
