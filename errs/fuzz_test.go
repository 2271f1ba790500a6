package errs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/txn"
)

// ownText is a text of the service itself, which logs may contain.
const ownText = "of the service's own"

// wrap builds an error around err: each byte of shape adds one layer.
func wrap(err error, shape []byte) error {
	for i, b := range shape {
		if i == 12 {
			break
		}
		switch b % 12 {
		case 0:
			err = fmt.Errorf("%s: %w", ownText, err)
		case 1:
			err = errors.Join(errors.New(ownText), err)
		case 2:
			err = errors.Join(err, pgx.ErrTxClosed)
		case 3:
			err = &txn.ExhaustedError{Name: ownText, Err: err}
		case 4:
			err = &txn.OutcomeUnknownError{Name: ownText, Err: err}
		case 5:
			err = &txn.CommittedError{Err: err}
		case 6:
			err = errs.New(errs.Kind(b), errs.Cause(err))
		case 7:
			err = fmt.Errorf("%w and %w", err, errs.Kind(b))
		case 8:
			err = pgx.ScanArgError{Err: err}
		case 9:
			err = shop.Translate(err)
		case 10:
			err = errors.Join(err, err)
		case 11:
			err = fmt.Errorf("%s: %v", ownText, err)
		}
	}
	return err
}

func FuzzTranslate(f *testing.F) {
	for _, state := range []string{"23505", "23503", "23502", "40001", "40003", "XXA00", "42501", "57014", "08P01", "OW001", "", "x"} {
		f.Add(state, "message", "Key (id)=(1) already exists.", "customers_email_key", "customers", []byte{0, 1, 3})
	}
	f.Add("23503", `insert on table "a\"b" violates foreign key constraint "c"`, "", `c"d`, "", []byte{6, 9})
	f.Add("23505", "", "Key (order_id,line)=(1,2)", "primary", "", []byte{2, 4, 7, 8, 10, 11})
	f.Fuzz(func(t *testing.T, state, message, detail, constraint, table string, shape []byte) {
		for name, driver := range drivers {
			err := wrap(driver(&pgconn.PgError{Code: state, Message: canaryValue + message, Detail: detail + canaryValue, Hint: canaryValue,
				ConstraintName: constraint, TableName: table}), shape)
			e := translate(t, shop, err)
			if e.Status() < 400 || e.Status() > 599 {
				t.Fatalf("%s: status %d", name, e.Status())
			}
			if e.RetryAfter() > 0 && e.Status() != 503 && e.Status() != 429 && e.Status() != 409 {
				t.Fatalf("%s: Retry-After with status %d", name, e.Status())
			}
			if found := leaks(t, shop, err); found != nil {
				t.Fatalf("%s: %q", name, found)
			}
			first, jsonErr := json.Marshal(e)
			if jsonErr != nil {
				t.Fatal(jsonErr)
			}
			second, _ := json.Marshal(translate(t, shop, err))
			third, _ := json.Marshal(translate(t, shop, e))
			if string(first) != string(second) || string(first) != string(third) {
				t.Fatalf("%s: %s, then %s, then %s", name, first, second, third)
			}
		}
	})
}
