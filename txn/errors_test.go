package txn_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/kind"
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
		{&txn.ExhaustedError{Attempts: 3, Elapsed: 1500 * time.Millisecond, Err: io.EOF}, kind.Contention, "txn: rolled back 3 times in 1.5s: EOF"},
	} {
		wrapped := fmt.Errorf("handler: %w", test.err)
		require.ErrorIs(t, wrapped, io.EOF)
		var k interface{ Kind() kind.Kind }
		require.True(t, errors.As(wrapped, &k))
		require.Equal(t, test.kind, k.Kind())
		require.EqualError(t, test.err, test.text)
	}
}
