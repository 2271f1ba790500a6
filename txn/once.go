package txn

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/rowkeeper/rowkeeper/txn/internal/ledger"
)

func init() {
	ledger.Option = func(r *ledger.Request, err error) any {
		return optionFunc{"Once", func(c *config) error {
			c.once = r
			return err
		}}
	}
}

// onceable returns why a call with that result cannot be executed once, or nil.
func (c *config) onceable(name string, result any) error {
	switch {
	case c.once == nil:
		return nil
	case c.readOnly:
		return fmt.Errorf("%s: Once in a read-only call, which cannot write the ledger", prefix(name))
	case result == nil:
		return nil
	}
	if err := ledger.CheckResultType(reflect.TypeOf(result).Elem()); err != nil {
		return fmt.Errorf("%s: Once: %w", prefix(name), err)
	}
	return nil
}

// errBurned reports that no attempt of a call has committed or will commit.
var errBurned = errors.New("the key was taken without an effect")

// encoded returns the function's result as JSON, or nil if it has none.
func (c *call) encoded() (*string, error) {
	if c.result == nil {
		return nil, nil
	}
	text, err := ledger.EncodeResult(c.result)
	if err != nil {
		return nil, fmt.Errorf("%s: Once: %w", prefix(c.name), err)
	}
	return &text, nil
}

// restore sets the result to the stored one.
func (c *call) restore(text *string) error {
	if c.result == nil {
		return nil
	}
	return ledger.RestoreResult(c.result, text)
}
