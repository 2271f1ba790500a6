package txn

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Option changes how a transaction is run. Options given to [New] hold for
// every call through that [Runner]; those given to a call override them. An
// option with a value that makes no sense is an error at the first call.
type Option interface {
	apply(*config) error
}

type optionFunc struct {
	name string
	set  func(*config) error
}

func (o optionFunc) apply(c *config) error {
	if err := o.set(c); err != nil {
		return fmt.Errorf("txn: %s: %w", o.name, err)
	}
	if o.name != optionName && !slices.Contains(c.owned, o.name) {
		c.owned = append(c.owned, o.name)
	}
	return nil
}

const optionName = "Name"

type config struct {
	isolation   pgx.TxIsoLevel
	readOnly    bool
	maxAttempts int
	maxElapsed  time.Duration
	backoff     backoff
	name        string
	owned       []string // options that only the outermost call can honour
}

const (
	defaultMaxElapsed  = 30 * time.Second
	defaultBackoffBase = time.Millisecond
	defaultBackoffMax  = 512 * time.Millisecond
)

func defaults() config {
	return config{
		isolation:   pgx.Serializable,
		maxAttempts: math.MaxInt,
		maxElapsed:  defaultMaxElapsed,
		backoff:     backoff{base: defaultBackoffBase, max: defaultBackoffMax},
	}
}

// with returns c changed by opts, and what is wrong with any of them.
func (c config) with(opts []Option) (config, error) {
	c.owned = slices.Clone(c.owned)
	var errs []error
	for i, o := range opts {
		if o == nil {
			errs = append(errs, fmt.Errorf("txn: option %d is nil", i+1))
			continue
		}
		if err := o.apply(&c); err != nil {
			errs = append(errs, err)
		}
	}
	return c, errors.Join(errs...)
}

func (c config) txOptions() pgx.TxOptions {
	o := pgx.TxOptions{IsoLevel: c.isolation}
	if c.readOnly {
		o.AccessMode = pgx.ReadOnly
	}
	return o
}

// joinable reports which options a call cannot have that joins a transaction.
func (c config) joinable() error {
	if len(c.owned) == 0 {
		return nil
	}
	return fmt.Errorf("txn: %s in a call that joins a running transaction: give it to the call that begins the transaction",
		strings.Join(c.owned, ", "))
}

// Isolation sets the isolation level: [pgx.Serializable], which is the default,
// [pgx.RepeatableRead] or [pgx.ReadCommitted].
//
// Only SERIALIZABLE rules out lost updates and write skew between
// transactions that all use it. CockroachDB runs REPEATABLE READ as
// SERIALIZABLE, and READ COMMITTED too where the cluster does not allow it.
func Isolation(level pgx.TxIsoLevel) Option {
	return optionFunc{"Isolation", func(c *config) error {
		switch level {
		case pgx.Serializable, pgx.RepeatableRead, pgx.ReadCommitted:
			c.isolation = level
			return nil
		}
		return fmt.Errorf("%q is not a level: use pgx.Serializable, pgx.RepeatableRead or pgx.ReadCommitted", string(level))
	}}
}

// ReadOnly makes the transaction READ ONLY: a statement that writes fails with
// SQLSTATE 25006. The default is the server's, which is READ WRITE unless
// default_transaction_read_only says otherwise.
func ReadOnly() Option {
	return optionFunc{"ReadOnly", func(c *config) error {
		c.readOnly = true
		return nil
	}}
}

// MaxAttempts bounds how often the function is run, the first time included.
// The default is no such bound: [MaxElapsed] and the context end the call. n
// must be at least 1; with 1 nothing is retried.
func MaxAttempts(n int) Option {
	return optionFunc{"MaxAttempts", func(c *config) error {
		if n < 1 {
			return fmt.Errorf("%d is not at least 1", n)
		}
		c.maxAttempts = n
		return nil
	}}
}

// MaxElapsed bounds the time from the start of the call until the last attempt
// begins; 30 seconds by default. A deadline of the context that is earlier
// wins. It does not interrupt an attempt that is under way. d must be positive.
func MaxElapsed(d time.Duration) Option {
	return optionFunc{"MaxElapsed", func(c *config) error {
		if d <= 0 {
			return fmt.Errorf("%v is not positive", d)
		}
		c.maxElapsed = d
		return nil
	}}
}

// Backoff sets the wait before a retry. The first retry comes at once. Before
// the n-th after it the wait is random between zero and base·2ⁿ⁻¹, but at most
// max ("full jitter"). The default is 1 ms and 512 ms. base must be positive
// and max at least base. While a call waits it holds no connection and no lock.
func Backoff(base, max time.Duration) Option {
	return optionFunc{"Backoff", func(c *config) error {
		if base <= 0 || max < base {
			return fmt.Errorf("base %v must be positive and max %v at least base", base, max)
		}
		c.backoff = backoff{base: base, max: max}
		return nil
	}}
}

// Name says what the transaction is for, in errors. It is empty by default. A
// call that joins may have a name of its own.
func Name(name string) Option {
	return optionFunc{optionName, func(c *config) error {
		if name == "" {
			return errors.New("the name is empty")
		}
		c.name = name
		return nil
	}}
}
