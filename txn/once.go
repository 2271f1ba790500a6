package txn

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// Once carries out a request exactly once, however often it is made: the call
// takes the key in the ledger, a table that [LedgerSchema] creates, in the same
// transaction as what its function does. A call with a key that is taken returns
// the result of the call that took it, and its function has no effect.
//
//	transfer, err := txn.RunInTx(ctx, pool, makeTransfer, txn.Once("transfers/"+user, key, request))
//
// A namespace keeps keys apart: put the user into it, so that nobody is given the
// result of somebody else's. request is what the key stands for, as a value that
// encoding/json encodes; the same key with another request is [ErrKeyReused]. With
// nil all requests are the same. Namespace and key are text of 1 to 255 bytes.
//
// Requests are the same if their JSON says the same, in any order of members; Go
// types do not count, nor do fields that omitempty or omitzero leaves out. A request
// is refused where JSON does not say all of it: for a field that is not exported,
// left out by its tag or hidden by another one of that name, anywhere in its type or
// behind its interfaces; for text that is not UTF-8 (give []byte); for raw JSON in
// which a name is given twice. So an error value or a protobuf message is no request:
// give a struct of what counts, or its bytes. A type that encodes itself is trusted:
// what its MarshalJSON or MarshalText leaves out makes no difference.
//
// The result is kept as JSON and has to come back from there as it was. A type of
// which JSON does not say all, or that has an interface with methods, is refused
// before the function runs. A value that comes back changed, such as an int in an
// any, which comes back as a float64, is refused when the function has returned it,
// and the call is rolled back. A json.RawMessage comes back as the same JSON, not as
// the same bytes. The result may take 256 KiB, or the call fails with a
// [*ResultTooLargeError] and is rolled back.
//
// An error of the function's rolls back and leaves the key free. A call whose key
// is being used by another one waits for that one, unless [Ledger] says
// otherwise: in the same process without a connection, for another process in the
// database, in its first statement.
//
// An unknown outcome is resolved, by taking the key again, which either succeeds
// or shows that it was taken. So an [*OutcomeUnknownError] remains only where the
// database cannot be reached until the context ends, and on a connection of the
// caller's, which cannot be replaced. Where the function cannot be run again for
// that, because it returned an error the second time or there are no more attempts,
// the key is taken without an effect, so that no COMMIT that is still on its way
// finds it free. The next call with the key takes it over, in a second attempt.
//
// The row is kept for [Ledger.Retention]. Later calls with the key carry the
// request out again.
//
// Once belongs to a call, not to a [Runner], and is refused in one that joins a
// transaction or is read-only, and for a [Batch] that has callbacks.
func Once(namespace, key string, request any) Option {
	return optionFunc{"Once", func(c *config) error {
		for _, part := range []struct{ what, text string }{{"namespace", namespace}, {"key", key}} {
			if err := checkKey(part.text); err != nil {
				return fmt.Errorf("the %s %w", part.what, err)
			}
		}
		hash, err := hashRequest(namespace, request)
		if err != nil {
			return err
		}
		c.once = &once{namespace: namespace, key: key, request: hash}
		return nil
	}}
}

// once is what the option says.
type once struct {
	namespace, key string
	request        []byte // hashed
}

const longestKey = 255 // in bytes; both are part of an index

func checkKey(text string) error {
	switch {
	case text == "":
		return errors.New("is empty")
	case len(text) > longestKey:
		return fmt.Errorf("is longer than %d bytes", longestKey)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return errors.New("is no text that a database keeps")
	}
	return nil
}

// hashRequest hashes a request by what it says, not by the order in which a
// struct or a client has its fields.
func hashRequest(namespace string, request any) ([]byte, error) {
	encoded, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("the request cannot be encoded: %w", err)
	}
	var value any
	dec := json.NewDecoder(bytes.NewReader(encoded))
	dec.UseNumber() // or large numbers become equal
	if err := dec.Decode(&value); err != nil {
		return nil, fmt.Errorf("the request cannot be encoded: %w", err)
	}
	if err := checkRequest(request, encoded, value); err != nil {
		return nil, &requestError{fmt.Sprintf("%T", request), err}
	}
	if encoded, err = json.Marshal(value); err != nil { // which sorts the members
		return nil, fmt.Errorf("the request cannot be encoded: %w", err)
	}
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(namespace))))
	h.Write([]byte(namespace))
	h.Write(encoded)
	return h.Sum(nil), nil
}

// requestError is that of a request which may be taken for another one.
type requestError struct {
	of  string
	err error
}

func (e *requestError) Error() string {
	return fmt.Sprintf("the request, a %s, cannot be told from others by its JSON: %v", e.of, e.err)
}
func (e *requestError) Unwrap() error { return e.err }

// Kind is errs.Malformed where it is for text that comes from outside.
func (e *requestError) Kind() kind.Kind {
	if l, ok := e.err.(*lossError); ok && l.text {
		return kind.Malformed
	}
	return kind.Internal
}

// checkRequest refuses a request that may differ from another one in something that
// its JSON does not have.
func checkRequest(request any, encoded []byte, decoded any) error {
	types := jsonTypes{anyInterface: true}
	if request != nil {
		if err := types.check(jsonType{reflect.TypeOf(request), false}); err != nil {
			return err
		}
	}
	if err := types.checkValue(reflect.ValueOf(request), 0); err != nil {
		return err
	}
	return checkJSON(encoded, decoded)
}

// onceable reports why a call with that result cannot have the option Once.
func (c *config) onceable(name string, result any) error {
	switch {
	case c.once == nil:
		return nil
	case c.readOnly:
		return fmt.Errorf("%s: Once in a read-only call, which cannot write the ledger", prefix(name))
	case result == nil:
		return nil
	}
	t := reflect.TypeOf(result).Elem()
	if err := new(jsonTypes).check(jsonType{t, true}); err != nil {
		return fmt.Errorf("%s: Once: a result of type %v would not come back from JSON as it was: %w", prefix(name), t, err)
	}
	return nil
}

// Ledger is an option that says how [Once] keeps what it knows. A zero field means
// the default.
type Ledger struct {
	// Retention is how long a key is kept, by the clock of the database: 24 hours by
	// default, at least an hour, in whole seconds. After that the key is free, so
	// nothing may ask for the same thing again, nor be on its way to the database,
	// for longer.
	Retention time.Duration

	// NoWait makes a call whose key is being used by another one fail with
	// [ErrInFlight]. Within a process that is at once. For another process it is
	// after 0.1 seconds, on CockroachDB after some milliseconds.
	NoWait bool
}

const (
	defaultRetention = 24 * time.Hour
	leastRetention   = time.Hour
)

func (l Ledger) apply(c *config) error {
	return optionFunc{"Ledger", func(c *config) error {
		if l.Retention != 0 && (l.Retention < leastRetention || l.Retention%time.Second != 0) {
			return fmt.Errorf("a retention of %v is not at least %v in whole seconds", l.Retention, leastRetention)
		}
		c.ledger = l
		return nil
	}}.apply(c)
}

func (l Ledger) retention() time.Duration {
	if l.Retention == 0 {
		return defaultRetention
	}
	return l.Retention
}

// Errors of calls with [Once]. Nothing was committed by the call that returns one.
var (
	// ErrKeyReused says that the key was used for another request. To an HTTP client
	// it is a 422, by its Kind.
	ErrKeyReused error = &onceError{"the key was used for another request", kind.KeyReused, 0}

	// ErrInFlight says that a call with the same key is under way, and that this
	// one was not to wait, or that too many wait already. To an HTTP client it is a
	// 409 that may be sent again, by its Kind.
	ErrInFlight error = &onceError{"a call with the same key is under way", kind.InFlight, time.Second}
)

type onceError struct {
	text  string
	kind  kind.Kind
	after time.Duration
}

func (e *onceError) Error() string             { return e.text }
func (e *onceError) Kind() kind.Kind           { return e.kind }
func (e *onceError) RetryAfter() time.Duration { return e.after }

// errFenced says that none of a call's attempts was committed, nor will be.
var errFenced = errors.New("the key was taken without an effect")

// ResultTooLargeError says that a result takes more room than the ledger gives it.
// Nothing was committed.
type ResultTooLargeError struct {
	Name string // as given by the option Name
	Size int    // in bytes, as JSON
}

// MostResult is how many bytes the result of a call with [Once] may take as JSON.
const MostResult = 256 << 10

func (e *ResultTooLargeError) Error() string {
	return fmt.Sprintf("%s: Once: the result takes %d bytes as JSON, of which the ledger keeps at most %d: return less of it", prefix(e.Name), e.Size, MostResult)
}

// Kind is errs.Internal: the client cannot mend it.
func (e *ResultTooLargeError) Kind() kind.Kind { return kind.Internal }

// encoded is the result of the function as JSON, nil where there is none. A result
// that does not come back from there as it was is refused, so that no replay
// returns another one than the call that took the key.
func (c *call) encoded() (*string, error) {
	if c.result == nil {
		return nil, nil
	}
	text, err := json.Marshal(c.result)
	if err != nil {
		return nil, fmt.Errorf("%s: Once: the result cannot be encoded: %w", prefix(c.name), err)
	}
	if len(text) > MostResult {
		return nil, &ResultTooLargeError{Name: c.name, Size: len(text)}
	}
	result := reflect.ValueOf(c.result).Elem()
	if err := checkResult(result, text); err != nil {
		return nil, fmt.Errorf("%s: Once: the result, a %v, does not come back from JSON as it was: %w", prefix(c.name), result.Type(), err)
	}
	s := string(text)
	return &s, nil
}

func checkResult(result reflect.Value, encoded []byte) error {
	if err := new(jsonTypes).checkValue(result, 0); err != nil {
		return err
	}
	if !utf8.Valid(encoded) { // of something that encodes itself
		return notText("has JSON that is not valid UTF-8")
	}
	back := reflect.New(result.Type())
	if err := json.Unmarshal(encoded, back.Interface()); err != nil {
		return err
	}
	return comesBack(result, back.Elem())
}

// restore makes the result what was stored.
func (c *call) restore(text *string) error {
	if c.result == nil {
		return nil
	}
	v := reflect.ValueOf(c.result).Elem()
	v.SetZero()
	if text == nil {
		return errors.New("the call that took the key had no result")
	}
	if err := json.Unmarshal([]byte(*text), c.result); err != nil {
		v.SetZero()
		return fmt.Errorf("the result that is stored cannot be decoded: %w", err)
	}
	return nil
}
