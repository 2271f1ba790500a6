package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// Request is a request that is to be executed once.
type Request struct {
	Namespace, Key string
	Hash           []byte
	Retention      time.Duration // of its row, in whole seconds
	NoWait         bool          // fail if another call is using the key
}

// Option makes a txn.Option of a request, or of the error that [New] returned for it.
// Package txn sets it when it is initialized, so that package once need not be a part
// of it.
var Option func(r *Request, err error) any

const (
	defaultRetention = 24 * time.Hour
	leastRetention   = time.Hour
	longestKey       = 255 // in bytes; namespace and key are part of an index
)

// New checks the parts of a request. A retention of zero means the default.
func New(namespace, key string, request any, retention time.Duration, noWait bool) (*Request, error) {
	if reason := unfit(namespace); reason != "" {
		return nil, errors.New("the namespace " + reason)
	}
	if reason := unfit(key); reason != "" {
		return nil, &KeyError{reason}
	}
	if retention != 0 && (retention < leastRetention || retention%time.Second != 0) {
		return nil, fmt.Errorf("a retention of %v is not at least %v in whole seconds", retention, leastRetention)
	}
	if retention == 0 {
		retention = defaultRetention
	}
	hash, err := hashRequest(namespace, request)
	if err != nil {
		return nil, err
	}
	return &Request{Namespace: namespace, Key: key, Hash: hash, Retention: retention, NoWait: noWait}, nil
}

// unfit returns why text cannot be a namespace or a key, or "". The reasons are
// constants, as clients are shown those of a key.
func unfit(text string) string {
	switch {
	case text == "":
		return reasonEmpty
	case len(text) > longestKey:
		return "is longer than " + strconv.Itoa(longestKey) + " bytes"
	case !utf8.ValidString(text):
		return "is not valid UTF-8"
	case strings.ContainsRune(text, 0):
		return "contains a NUL character"
	}
	return ""
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

// Kind returns kind.Malformed if the cause is text from outside.
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
