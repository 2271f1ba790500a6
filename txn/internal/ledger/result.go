package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// MaxResult is the largest result that is stored, in bytes of JSON.
const MaxResult = 256 << 10

// ResultTooLargeError reports that a result is larger than the ledger allows. Nothing
// was committed.
type ResultTooLargeError struct {
	Size int // in bytes of JSON
}

func (e *ResultTooLargeError) Error() string {
	return fmt.Sprintf("the result takes %d bytes as JSON, of which the ledger keeps at most %d: return less of it", e.Size, MaxResult)
}

// Kind returns errs.Internal: the client cannot fix it.
func (e *ResultTooLargeError) Kind() kind.Kind { return kind.Internal }

// CheckResultType returns why results of a type would not come back from JSON as they
// were, or nil.
func CheckResultType(t reflect.Type) error {
	if err := new(jsonTypes).check(jsonType{t, true}); err != nil {
		return fmt.Errorf("a result of type %v would not come back from JSON as it was: %w", t, err)
	}
	return nil
}

// EncodeResult returns the value that result points to as JSON. It refuses one that
// does not decode to the same value, so that no replay returns another one than the
// call that took the key.
func EncodeResult(result any) (string, error) {
	text, err := json.Marshal(result)
	if err != nil {
		return "", fmt.Errorf("the result cannot be encoded: %w", err)
	}
	if len(text) > MaxResult {
		return "", &ResultTooLargeError{Size: len(text)}
	}
	v := reflect.ValueOf(result).Elem()
	if err := checkResult(v, text); err != nil {
		return "", fmt.Errorf("the result, a %v, does not come back from JSON as it was: %w", v.Type(), err)
	}
	return string(text), nil
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

// RestoreResult sets the value that result points to from the stored text. If that
// fails, the value is zero.
func RestoreResult(result any, text *string) error {
	v := reflect.ValueOf(result).Elem()
	v.SetZero()
	if text == nil {
		return errors.New("the call that took the key had no result")
	}
	if err := json.Unmarshal([]byte(*text), result); err != nil {
		v.SetZero()
		return fmt.Errorf("the result that is stored cannot be decoded: %w", err)
	}
	return nil
}
