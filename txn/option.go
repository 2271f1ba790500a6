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
	priority    PriorityLevel
	asOf        string // an SQL expression
	settings    []setting
	timeouts    Timeouts
	maxAttempts int
	maxElapsed  time.Duration
	backoff     backoff
	name        string
	idempotent  bool
	requiresNew bool
	tracer      Tracer
	key         fingerprint // of the line that Key names
	noAdmission bool
	once        *once // nil: the option is not given
	ledger      Ledger
	owned       []string // options that only the outermost call can honour

	first []statement // BEGIN and the settings behind it, made from the above
}

const (
	defaultMaxElapsed  = 30 * time.Second
	defaultBackoffBase = time.Millisecond
	defaultBackoffMax  = 512 * time.Millisecond
)

var defaults = config{
	isolation:   pgx.Serializable,
	maxAttempts: math.MaxInt,
	maxElapsed:  defaultMaxElapsed,
	backoff:     backoff{base: defaultBackoffBase, max: defaultBackoffMax},
	first:       []statement{{kind: begins, sql: "begin isolation level serializable"}},
}

// with returns c changed by opts, and what is wrong with any of them. c itself is
// never changed, because calls share it.
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

// joinable reports which options a call cannot have that joins a transaction.
func (c *config) joinable() error {
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
// wins. d must be positive.
//
// Where the context has no deadline, the one that the function is given has this
// one, so that a statement which waits for a lock nobody lets go of ends as well.
// Where it has a deadline, an attempt that is under way may use it up.
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

// Idempotent says that the function is harmless when it is carried out twice,
// also when the first time is applied late, after the second. Then a call whose
// outcome is unknown is run again. It returns an [*OutcomeUnknownError] all the
// same if none of its attempts is known to be committed. By default an unknown
// outcome is returned at once, except under [ReadOnly].
func Idempotent() Option {
	return optionFunc{"Idempotent", func(c *config) error {
		c.idempotent = true
		return nil
	}}
}

// RequiresNew lets a call run beside the transaction that its context belongs
// to. Without it a call that is given the database of a running call, inside that
// one's function, is refused: what it does would stay when the outer transaction
// is rolled back, it does not see what that one wrote, and with a pool of one
// connection the two wait for each other for ever. What is nearly always meant
// is to give it the *[Tx]. Elsewhere the option has no effect.
func RequiresNew() Option {
	return optionFunc{"RequiresNew", func(c *config) error {
		c.requiresNew = true
		return nil
	}}
}

// Key names what the transaction fights for, where the caller knows it better than
// the first statement says: transactions with equal parts wait in one line when
// they conflict. Parts may be of any type that has a value to go by, as arguments
// of statements: not maps, nor structs with fields that are not exported, unless they
// are a driver.Valuer. A pointer counts by what it points at. By default the first
// statement with its arguments and the transaction's settings is the key.
func Key(parts ...any) Option {
	return optionFunc{"Key", func(c *config) error {
		if len(parts) == 0 {
			return errors.New("no parts are given")
		}
		if c.key = keyOf(parts); c.key == 0 {
			return errors.New("a part is of a type without a value to go by, such as a map, or a struct with fields that are not exported")
		}
		return nil
	}}
}

// NoAdmission has the call wait in no line. By default a call on a pool, or on a
// Runner with one, waits for its turn when transactions that begin as it does
// conflict: before BEGIN, holding no connection and no lock.
func NoAdmission() Option {
	return optionFunc{"NoAdmission", func(c *config) error {
		c.noAdmission = true
		return nil
	}}
}

// Trace has t told of calls, attempts and waits. By default nobody is told.
func Trace(t Tracer) Option {
	return optionFunc{"Trace", func(c *config) error {
		if v := reflect.ValueOf(t); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return errors.New("the tracer is nil")
		}
		c.tracer = t
		return nil
	}}
}

// Name says what the transaction is for, in errors and to tracers. It is empty
// by default. A call that joins may have a name of its own.
func Name(name string) Option {
	return optionFunc{optionName, func(c *config) error {
		if name == "" {
			return errors.New("the name is empty")
		}
		c.name = name
		return nil
	}}
}
