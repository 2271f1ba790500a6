package txn_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/txn"
)

func TestErrorsSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		kind kind.Kind
		text string
	}{
		{&txn.OutcomeUnknownError{Name: "pay", Attempts: 1, Err: io.EOF}, kind.OutcomeUnknown, "txn pay: unknown whether the transaction was committed: EOF"},
		{&txn.CommittedError{Err: io.EOF}, kind.Internal, "txn: committed, but: EOF"},
		{&txn.ExhaustedError{Attempts: 3, Elapsed: 1500 * time.Millisecond, Err: io.EOF}, kind.Unavailable, "txn: rolled back 3 times in 1.5s: EOF"},
		{&txn.ExhaustedError{Attempts: 3, Err: errors.Join(io.EOF, &pgconn.PgError{Code: "40001"})}, kind.Contention, "txn: rolled back 3 times in 0s: EOF\n:  (SQLSTATE 40001)"},
		{&txn.ExhaustedError{Attempts: 3, Err: errors.Join(io.EOF, &pgconn.PgError{Code: "57P01"})}, kind.Unavailable, "txn: rolled back 3 times in 0s: EOF\n:  (SQLSTATE 57P01)"},
		{&txn.QueuedError{SQL: "delete from x", Err: io.EOF}, kind.Internal, `txn: queued statement "delete from x": EOF`},
	} {
		wrapped := fmt.Errorf("handler: %w", test.err)
		require.ErrorIs(t, wrapped, io.EOF)
		var k interface{ Kind() kind.Kind }
		if errors.As(wrapped, &k) {
			require.Equal(t, test.kind, k.Kind())
		} else {
			require.Equal(t, test.kind, kind.Internal)
		}
		require.EqualError(t, test.err, test.text)
	}
}
