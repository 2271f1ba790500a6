package txn

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/txn/internal/admission"
	"github.com/rowkeeper/rowkeeper/txn/internal/ledger"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// Option configures how a transaction runs. Options given to [New] apply to every call
// through that [Runner]; options given to a call override them. An invalid option value
// is reported as an error by the first call.
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
	priority    string // as in BEGIN PRIORITY; "" is the server's default
	asOf        string // an SQL expression
	settings    []setting
	timeouts    Timeouts
	maxAttempts int
	elapsed     *elapsedError // of MaxElapsed
	backoff     backoff
	name        string
	idempotent  bool
	requiresNew bool
	tracer      trace.Tracer
	key         admission.Fingerprint // of the queue that Key names
	noAdmission bool
	once        *ledger.Request // nil if nothing is to be executed once
	owned       []string        // options that only the outermost call can honour

	first opening // made from the above
}

const (
	defaultMaxElapsed  = 30 * time.Second
	defaultBackoffBase = time.Millisecond
	defaultBackoffMax  = 512 * time.Millisecond
)

var defaults = config{
	isolation:   pgx.Serializable,
	maxAttempts: math.MaxInt,
	elapsed:     &elapsedError{defaultMaxElapsed},
	backoff:     backoff{base: defaultBackoffBase, max: defaultBackoffMax},
	first:       beginSerializable,
}

// with returns c changed by opts, and the errors of all invalid options. It never
// changes c itself, which calls share.
func (c *config) with(opts []Option) (*config, error) {
	if len(opts) == 0 {
		return c, nil
	}
	changed := *c
	changed.owned, changed.settings = slices.Clone(c.owned), slices.Clone(c.settings)
	var errs []error
	for i, o := range opts {
		if o == nil {
			errs = append(errs, fmt.Errorf("txn: option %d is nil", i+1))
			continue
		}
		if err := o.apply(&changed); err != nil {
			errs = append(errs, err)
		}
	}
	changed.first = changed.begin()
	return &changed, errors.Join(errs...)
}

// joinable returns an error that names the options which a call that joins a
// transaction cannot have, or nil.
func (c *config) joinable() error {
	if len(c.owned) == 0 {
		return nil
	}
	return fmt.Errorf("txn: %s in a call that joins a running transaction: give it to the call that begins the transaction",
		strings.Join(c.owned, ", "))
}

// Isolation sets the isolation level: [pgx.Serializable], [pgx.RepeatableRead] or
// [pgx.ReadCommitted]. The default is pgx.Serializable.
//
// Only SERIALIZABLE rules out lost updates and write skew, between transactions that
// all use it. CockroachDB runs REPEATABLE READ as SERIALIZABLE, and READ COMMITTED too
// if the cluster does not allow it.
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

// MaxAttempts limits how often the function runs, including the first run. The default
// is no limit: [MaxElapsed] and the context end the call. n must be at least 1; 1
// disables retries.
func MaxAttempts(n int) Option {
	return optionFunc{"MaxAttempts", func(c *config) error {
		if n < 1 {
			return fmt.Errorf("%d is not at least 1", n)
		}
		c.maxAttempts = n
		return nil
	}}
}

// MaxElapsed limits the time from the start of the call to the start of its last
// attempt. The default is 30 seconds. An earlier deadline of the context wins. d must
// be positive.
//
// If the context has no deadline, the function's context gets this one, so a statement
// blocked on a lock ends too. If the context has a deadline, an attempt that has begun
// may use all of it.
func MaxElapsed(d time.Duration) Option {
	return optionFunc{"MaxElapsed", func(c *config) error {
		if d <= 0 {
			return fmt.Errorf("%v is not positive", d)
		}
		c.elapsed = &elapsedError{d}
		return nil
	}}
}

// Backoff sets the wait before a retry. The first retry is immediate. The wait before
// the n-th retry after it is random between zero and base·2ⁿ⁻¹, but at most max ("full
// jitter"). The defaults are 1 ms and 512 ms. base must be positive and max at least
// base. A waiting call holds no connection and no lock.
func Backoff(base, max time.Duration) Option {
	return optionFunc{"Backoff", func(c *config) error {
		if base <= 0 || max < base {
			return fmt.Errorf("base %v must be positive and max %v at least base", base, max)
		}
		c.backoff = backoff{base: base, max: max}
		return nil
	}}
}

// Idempotent declares that the function may be applied twice without harm, even if the
// first application arrives late, after the second. A call whose outcome is unknown
// then runs again. It still returns an [*OutcomeUnknownError] if no attempt is known to
// have committed. By default an unknown outcome is returned at once, except under
// [ReadOnly].
func Idempotent() Option {
	return optionFunc{"Idempotent", func(c *config) error {
		c.idempotent = true
		return nil
	}}
}

// RequiresNew allows a call inside the function of another call on the same database to
// begin a transaction of its own. Without this option such a call is refused: its
// effects would remain if the outer transaction rolled back, it does not see the outer
// transaction's writes, and on a pool with one connection the two would wait for each
// other forever. Nearly always the inner call should be given the *[Tx] instead. The
// option has no effect elsewhere.
func RequiresNew() Option {
	return optionFunc{"RequiresNew", func(c *config) error {
		c.requiresNew = true
		return nil
	}}
}

// Key sets the admission key: calls with equal parts queue together when they conflict.
// Use it if the caller knows better than the first statement which rows the transaction
// contends for. By default the key is the first statement with its arguments, and the
// transaction's settings. See [NoAdmission] for how calls queue.
//
// Parts may have any type that can be compared by value, as for statement arguments;
// maps and structs with unexported fields are refused unless they implement
// driver.Valuer. A pointer counts by the value that it points to.
func Key(parts ...any) Option {
	return optionFunc{"Key", func(c *config) error {
		if len(parts) == 0 {
			return errors.New("no parts are given")
		}
		if c.key = admission.OfParts(parts); c.key == 0 {
			return errors.New("a part is of a type without a value to go by, such as a map, or a struct with fields that are not exported")
		}
		return nil
	}}
}

// NoAdmission makes the call skip the admission queue. By default a call on a pool, or
// on a Runner with a pool, waits for a permit if transactions that begin as it does
// conflict.
//
// Conflicting transactions queue by the admission key: the first statement's text and
// arguments with the transaction's settings, or the parts given to [Key]. A call waits
// in its first statement, before BEGIN, so it holds no connection and no lock, and its
// context ends the wait. One conflict makes nobody wait. If conflicts continue, the
// queue admits one call at a time, and more as long as they succeed. Permits are granted
// first come, first served; a call that has lost a conflict goes ahead of the others.
//
// If the deadline of a call comes before its permit, or is expected to, the call
// returns a [*BusyError]. If only a statement's own context ends, that statement fails
// and the function may continue.
//
// Queues belong to the pool and to this process. While nothing conflicts, the cost is
// an atomic load and a hash of the first statement. docs/admission.md of the repository
// says how the limit is learned, and which calls have no queue.
func NoAdmission() Option {
	return optionFunc{"NoAdmission", func(c *config) error {
		c.noAdmission = true
		return nil
	}}
}

// Trace sets the tracer of calls, attempts and waits. The default is none. t must not
// be nil.
func Trace(t trace.Tracer) Option {
	return optionFunc{"Trace", func(c *config) error {
		if v := reflect.ValueOf(t); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return errors.New("the tracer is nil")
		}
		c.tracer = t
		return nil
	}}
}

// Name names the transaction in the errors of this package and for tracers. An error
// that the function returned is not changed by it. The default is empty. A call that
// joins a transaction may have a name of its own.
func Name(name string) Option {
	return optionFunc{optionName, func(c *config) error {
		if name == "" {
			return errors.New("the name is empty")
		}
		c.name = name
		return nil
	}}
}
