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

// Once executes a request exactly once, however often it is made. The call takes the
// key in the ledger, a table created by [LedgerSchema], in the transaction of its
// function, and stores the result with COMMIT. If the key is already taken, the call
// returns the stored result and its function has no effect.
//
//	transfer, err := txn.RunInTx(ctx, pool, makeTransfer, txn.Once("transfers/"+user, key, request))
//
// A namespace separates keys: include the user in it, so that nobody gets another
// user's result. request is the value that the key stands for, encoded by
// encoding/json; the same key with another request returns [ErrKeyReused]. If request
// is nil, all requests are equal. Namespace and key are text of 1 to 255 bytes.
//
// Requests are equal if their JSON is equal, in any order of members. Go types do not
// count, nor do fields left out by omitempty or omitzero. A request is refused if JSON
// does not represent all of it: for a field that is unexported, left out by its tag or
// hidden by another field of that name, anywhere in its type or behind its interfaces;
// for text that is not UTF-8 (use []byte); for raw JSON that repeats a name. So an
// error value or a protobuf message is not a valid request: use a struct of the fields
// that count, or its bytes. A type that encodes itself is trusted: what its MarshalJSON
// or MarshalText leaves out makes no difference.
//
// The result is stored as JSON and must decode to the same value. A type that JSON does
// not represent fully, or that has an interface with methods, is refused before the
// function runs. If a value comes back changed, such as an int in an any, which comes
// back as a float64, the returned result is refused and the call is rolled back. A
// json.RawMessage comes back as the same JSON, not as the same bytes. The result may
// take [MostResult] bytes (256 KiB), or the call fails with a [*ResultTooLargeError]
// and is rolled back.
//
// An error of the function rolls back and leaves the key free. If another call is using
// the key, this one waits for it, unless [Ledger] says otherwise: within a process
// without a connection, for another process in the database, in its first statement.
//
// The key is taken by an INSERT ahead of the function's first statement, in the same
// packet, so Once adds no round trip the first time; a replay takes two.
//
// An unknown outcome is resolved by taking the key again, which either succeeds or
// shows that it was taken; it is never resolved by a look, as a COMMIT still on its way
// may arrive after the look. An attempt that loses this race fails, even if it arrives
// late. So an [*OutcomeUnknownError] remains only if the database cannot be reached
// until the context ends, or on a connection of the caller's, which cannot be replaced.
// If the function cannot run again for that, because it returned an error the second
// time or no attempts remain, the key is taken without an effect, so that a late COMMIT
// does not find it free. The next call with the key takes it over, in a second attempt.
//
// The row is kept for [Ledger.Retention]; [CleanLedger] deletes expired rows. Later
// calls with the key execute the request again, and the absence of a key proves
// nothing, so the retention must be longer than anybody keeps asking.
//
// Once belongs to a call, not to a [Runner]. It is refused in a call that joins a
// transaction or is read-only, and for a [Batch] with callbacks. Package
// [github.com/rowkeeper/rowkeeper/txn/idempotency] implements HTTP's Idempotency-Key
// header with it.
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

// once holds the arguments of the option.
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

// hashRequest hashes a request by its content, independent of the field order of a
// struct or a client.
func hashRequest(namespace string, request any) ([]byte, error) {
	encoded, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("the request cannot be encoded: %w", err)
	}
	var value any
	dec := json.NewDecoder(bytes.NewReader(encoded))
	dec.UseNumber() // otherwise large numbers become equal
	if err := dec.Decode(&value); err != nil {
		return nil, fmt.Errorf("the request cannot be encoded: %w", err)
	}
	if err := checkRequest(request, encoded, value); err != nil {
		return nil, &requestError{fmt.Sprintf("%T", request), err}
	}
	if encoded, err = json.Marshal(value); err != nil { // Marshal sorts the members
		return nil, fmt.Errorf("the request cannot be encoded: %w", err)
	}
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(namespace))))
	h.Write([]byte(namespace))
	h.Write(encoded)
	return h.Sum(nil), nil
}

// requestError reports a request that could be mistaken for another one.
type requestError struct {
	of  string
	err error
}

func (e *requestError) Error() string {
	return fmt.Sprintf("the request, a %s, cannot be told from others by its JSON: %v", e.of, e.err)
}
func (e *requestError) Unwrap() error { return e.err }

// Kind returns errs.Malformed if the cause is text from outside.
func (e *requestError) Kind() kind.Kind {
	if l, ok := e.err.(*lossError); ok && l.text {
		return kind.Malformed
	}
	return kind.Internal
}

// checkRequest refuses a request that may differ from another one in something that its
// JSON does not contain.
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

// onceable returns why a call with that result cannot have the option Once, or nil.
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

// Ledger is an option that configures how [Once] keeps keys. A zero field means the
// default.
type Ledger struct {
	// Retention is how long a key is kept, by the clock of the database, in whole
	// seconds. The default is 24 hours, the minimum one hour. After that the key is
	// free, so no request with it may be repeated, or be on its way to the database,
	// for longer.
	Retention time.Duration

	// NoWait makes a call fail with [ErrInFlight] if another call is using its key: at
	// once within a process, after 0.1 seconds for another process, and on CockroachDB
	// after some milliseconds. By default the call waits.
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

// Errors of calls with [Once]. A call that returns one has committed nothing.
var (
	// ErrKeyReused reports that the key was used for another request. It maps to HTTP
	// 422 by its Kind.
	ErrKeyReused error = &onceError{"the key was used for another request", kind.KeyReused, 0}

	// ErrInFlight reports that a call with the same key is in progress and that this
	// call was not to wait, or that too many calls wait already. It maps to HTTP 409,
	// which may be retried, by its Kind.
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

// errFenced reports that no attempt of a call has committed or will commit.
var errFenced = errors.New("the key was taken without an effect")

// ResultTooLargeError reports that a result is larger than the ledger allows. Nothing
// was committed.
type ResultTooLargeError struct {
	Name string // set by the option Name
	Size int    // in bytes of JSON
}

// MostResult is the largest result of a call with [Once], in bytes of JSON.
const MostResult = 256 << 10

func (e *ResultTooLargeError) Error() string {
	return fmt.Sprintf("%s: Once: the result takes %d bytes as JSON, of which the ledger keeps at most %d: return less of it", prefix(e.Name), e.Size, MostResult)
}

// Kind returns errs.Internal: the client cannot fix it.
func (e *ResultTooLargeError) Kind() kind.Kind { return kind.Internal }

// encoded returns the function's result as JSON, or nil if it has none. It refuses a
// result that does not decode to the same value, so that no replay returns another one
// than the call that took the key.
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
	if !utf8.Valid(encoded) { // from a type that encodes itself
		return notText("has JSON that is not valid UTF-8")
	}
	back := reflect.New(result.Type())
	if err := json.Unmarshal(encoded, back.Interface()); err != nil {
		return err
	}
	return comesBack(result, back.Elem())
}

// restore sets the result to the stored one.
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
