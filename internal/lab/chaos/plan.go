// Package chaos runs transactions under load while everything on the way to a
// database fails: connections are cut at random messages, packets are half sent,
// held and delivered late, the server is killed, sessions are terminated,
// statements are canceled and contexts end.
//
// Clients log the outcomes that they were told. After the network is gone and no
// old session is left, the log is compared with the database.
package chaos

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Plan is the number of faults and transactions. Faults are spread over the
// transactions.
type Plan struct {
	Seed         uint64
	Transactions int           // to be committed
	Cuts         int           // of connections
	Kills        int           // of the server
	Time         time.Duration // after which the run ends, finished or not
	Work         []string      // kinds of calls; none stands for all
}

// Full is the plan behind the table in docs/reliability.md, and Short is one for
// every day.
var (
	Full  = Plan{Transactions: 100_000, Cuts: 1_000, Kills: 20, Time: 20 * time.Minute}
	Short = Plan{Transactions: 6_000, Cuts: 200, Kills: 3, Time: 3 * time.Minute}
)

func (p Plan) check() error {
	if p.Transactions < 1 || p.Cuts < 0 || p.Kills < 0 || p.Time <= 0 {
		return errors.New("chaos: a plan needs at least one transaction, a positive time, and no negative numbers")
	}
	for _, name := range p.Work {
		if !slices.Contains(Works(), name) {
			return fmt.Errorf("chaos: %q is no kind of call: there are %s", name, strings.Join(Works(), ", "))
		}
	}
	return nil
}

// due returns how many of total faults should have happened when done transactions
// have been committed: each in the middle of its part of them.
func (p Plan) due(total int, done int64) int64 {
	most := int64(p.Transactions)
	return (2*int64(total)*min(done, most) + most) / (2 * most)
}
